//! The document of the API, held against real answers: every request of every test here goes through it.

use serde_json::Value;

/// The document.
pub(crate) struct Document(Value);

/// One operation of it.
pub(crate) struct Operation {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) scope: Option<String>,
}

impl Document {
    pub(crate) fn new(document: Value) -> Self {
        assert_eq!(document["openapi"], "3.1.0");
        Self(document)
    }

    /// All of its operations.
    pub(crate) fn operations(&self) -> Vec<Operation> {
        let paths = self.0["paths"].as_object().expect("there are paths");
        let of_path = |(path, methods): (&String, &Value)| {
            let methods = methods.as_object().expect("there are methods").clone();
            let path = path.clone();
            methods.into_iter().map(move |(method, operation)| {
                let scope = operation["security"][0]["token"][0].as_str().map(str::to_owned);
                Operation { method: method.to_ascii_uppercase(), path: path.clone(), scope }
            })
        };
        paths.iter().flat_map(of_path).collect()
    }

    /// That an answer is as it says. What is at no path of it is a problem and nothing else.
    #[track_caller]
    pub(crate) fn check(&self, method: &str, path: &str, status: u16, body: &Value) {
        let fits = |operation: &Operation| {
            let (ours, theirs) = (operation.path.split('/'), path.split('/'));
            operation.method == method
                && ours.clone().count() == theirs.clone().count()
                && ours.zip(theirs).all(|(ours, theirs)| ours == "{id}" || ours == theirs)
        };
        // `claims` is no id, so that the more exact of two paths is meant.
        let mut found: Vec<_> = self.operations().into_iter().filter(fits).collect();
        found.sort_by_key(|operation| operation.path.matches("{id}").count());
        let Some(operation) = found.first() else {
            assert!(matches!(status, 404 | 405), "{method} {path} is not in the document, and answers {status}");
            return;
        };
        let responses = &self.0["paths"][&operation.path][method.to_ascii_lowercase()]["responses"];
        let content = &responses[status.to_string()]["content"];
        let media = if status < 300 { "application/json" } else { "application/problem+json" };
        let schema = &content[media]["schema"];
        assert!(schema.is_object(), "{method} {path}: the document knows no {status} of it: {body}");
        self.conforms(schema, body, &format!("{method} {path} {status}"));
    }

    #[track_caller]
    fn conforms(&self, schema: &Value, value: &Value, at: &str) {
        if let Some(name) = schema["$ref"].as_str() {
            let name = name.rsplit('/').next().expect("a name");
            let schema = &self.0["components"]["schemas"][name];
            assert!(schema.is_object(), "there is no schema {name}");
            return self.conforms(schema, value, at);
        }
        let kinds: Vec<&str> = match &schema["type"] {
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
            kind => kind.as_str().into_iter().collect(),
        };
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        assert!(kinds.contains(&kind), "{at}: {value} is no {kinds:?}");
        if let Some(known) = schema["enum"].as_array() {
            assert!(known.contains(value), "{at}: {value} is none of {known:?}");
        }
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            assert!(value.get(name).is_some(), "{at}: `{name}` is missing in {value}");
        }
        if let (Some(properties), Some(members)) = (schema["properties"].as_object(), value.as_object()) {
            for (name, member) in members {
                let schema = properties.get(name).unwrap_or_else(|| panic!("{at}: the document knows no `{name}`"));
                self.conforms(schema, member, &format!("{at} {name}"));
            }
        }
        if let (true, Some(items)) = (schema["items"].is_object(), value.as_array()) {
            items.iter().for_each(|item| self.conforms(&schema["items"], item, at));
        }
    }
}
