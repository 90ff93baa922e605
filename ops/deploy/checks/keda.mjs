// Holds KEDA's resources against its schema: keda.mjs, a list of resources as JSON on stdin.
import { readFileSync } from "node:fs";

const models = `${process.env.KEDA_MODULES}/node_modules/@kubernetes-models/keda`;
let seen = 0;
for (const resource of JSON.parse(readFileSync(0, "utf8"))) {
  if (!resource.apiVersion.startsWith("keda.sh/")) continue;
  const { [resource.kind]: Model } = await import(`${models}/${resource.apiVersion}/index.js`);
  new Model(resource).validate();
  seen += 1;
}
if (seen === 0) throw new Error("no resource of KEDA was there");
