//! What a schema's name says about its objects (spec messaging §2.5).

/// The scheme of the addresses of a schema's objects.
pub(crate) fn scheme(schema: &str) -> &'static str {
    crate::schemes::of_schema(name(schema))
}

/// The collections of children that a schema's objects have.
pub(crate) fn children(schema: &str) -> &'static [&'static str] {
    match name(schema) {
        "Communication" => &["resources"],
        _ => &[],
    }
}

/// The name of a schema: what follows `/dataschema/`, without a file's ending.
pub(crate) fn name(schema: &str) -> &str {
    let name = schema
        .split_once("/dataschema/")
        .map_or(schema, |(_, name)| name);
    name.strip_suffix(".ds.json").unwrap_or(name)
}
