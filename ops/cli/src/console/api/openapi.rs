//! The document of the API: made of the table of routes, and of the schemas that are written by hand.

use serde_json::{Map, Value, json};

use super::route::{ROUTES, Route};

/// What goes in and comes out.
const SCHEMAS: &str = include_str!("schemas.json");
/// Statuses that every route may answer with: too slow, not allowed, no database.
const OF_ALL: [u16; 2] = [500, 503];
/// Of those that need a token.
const OF_TOKENS: [u16; 2] = [401, 403];
/// Of those that take a body.
const OF_BODIES: [u16; 5] = [400, 408, 413, 415, 422];

/// The document.
pub(super) fn document() -> String {
    let mut paths: Map<String, Value> = Map::new();
    for route in &ROUTES {
        let methods = paths.entry(route.path).or_insert_with(|| json!({}));
        methods[route.method.as_str().to_ascii_lowercase()] = operation(route);
    }
    let schemas: Value = serde_json::from_str(SCHEMAS).unwrap_or_default();
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Sluice: people's review",
            "version": sluice_core::VERSION,
            "description": "What stands for posts, the feed of decisions, appeals, and the work of moderators.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
        },
    });
    document.to_string()
}

fn operation(route: &Route) -> Value {
    let mut responses = Map::new();
    for (status, schema) in route.answers {
        responses.insert(status.to_string(), response("application/json", schema));
    }
    for status in problems(route) {
        responses.insert(status.to_string(), response("application/problem+json", "Problem"));
    }
    let mut parameters: Vec<Value> =
        route.query.iter().map(|name| parameter(name, "query", &json!({ "type": "string" }))).collect();
    if route.path.contains("{id}") {
        parameters.push(parameter("id", "path", &json!({ "type": "string", "format": "uuid" })));
    }
    if route.method == axum::http::Method::POST {
        parameters.push(parameter("Idempotency-Key", "header", &json!({ "type": "string", "maxLength": 255 })));
    }
    let mut operation = json!({ "summary": route.summary, "parameters": parameters, "responses": responses });
    operation["security"] = match route.scope {
        Some(scope) => json!([{ "token": [scope] }]),
        None => json!([]),
    };
    if let Some(schema) = route.body {
        operation["requestBody"] = json!({ "content": content("application/json", schema) });
    }
    operation
}

fn problems(route: &Route) -> Vec<u16> {
    let mut found = [route.problems, &OF_ALL].concat();
    if route.scope.is_some() {
        found.extend(OF_TOKENS);
    }
    if route.body.is_some() {
        found.extend(OF_BODIES);
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn parameter(name: &str, place: &str, schema: &Value) -> Value {
    json!({ "name": name, "in": place, "required": place == "path", "schema": schema })
}

fn response(media: &str, schema: &str) -> Value {
    json!({ "description": schema, "content": content(media, schema) })
}

fn content(media: &str, schema: &str) -> Value {
    json!({ media: { "schema": { "$ref": format!("#/components/schemas/{schema}") } } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_schema_that_a_route_names_is_there_and_none_is_of_no_use() {
        let document: Value = serde_json::from_str(&document()).expect("it is JSON");
        let there: BTreeSet<String> =
            document["components"]["schemas"].as_object().expect("schemas").keys().cloned().collect();
        let text = document.to_string();
        let named: BTreeSet<String> = text
            .split("#/components/schemas/")
            .skip(1)
            .filter_map(|rest| rest.split('"').next().map(str::to_owned))
            .collect();
        assert_eq!(there, named);
    }

    #[test]
    fn no_route_is_there_twice_and_each_but_the_document_needs_a_scope() {
        let all: BTreeSet<_> = ROUTES.iter().map(|route| (route.method.as_str(), route.path)).collect();
        assert_eq!(all.len(), ROUTES.len());
        let open: Vec<_> = ROUTES.iter().filter(|route| route.scope.is_none()).map(|route| route.path).collect();
        assert_eq!(open, ["/api/v1/openapi.json"]);
    }
}
