//! Which scheme the addresses of a schema's objects have (spec messaging §2.5).

/// The scheme of the objects of a data schema, by the name at the end of its address.
pub(crate) fn of_schema(schema: &str) -> &'static str {
    let name = schema.rsplit('/').next().unwrap_or_default();
    match name.strip_suffix(".ds.json").unwrap_or(name) {
        "Context" | "ContextReporter" | "ContextObserver" => "context",
        "Connection" => "connection",
        "Communication" => "comm",
        "WalletData" => "walletData",
        "HelloWorldDataSchema" => "hello",
        _ => "resource",
    }
}
