//! Reads data schemas: `<provider>/.well-known/dataschema/NAME.ds.json`.

use super::Catalogues;
use super::stock::stocks;
use crate::rooms::catalogue::SchemaWanted;
use crate::rooms::sync::shape::SCHEMA_BYTES_MAX;

impl Catalogues {
    /// The text of a schema, as the first catalogue has it that does; `None` when none has.
    pub fn schema(&self, wanted: &SchemaWanted) -> Result<Option<Vec<u8>>, String> {
        let path = format!(".well-known/dataschema/{}.ds.json", wanted.name);
        for directory in &self.directories {
            for provider in &wanted.providers {
                // A catalogue that cannot be read has no schema to say anything by.
                for stock in stocks(directory, provider).unwrap_or_default() {
                    let opened = match stock.place.file(&path) {
                        Err(e) if e.is_absent() => continue,
                        opened => opened,
                    };
                    let shown = stock.path.join(&path);
                    let text = opened.and_then(|opened| opened.read(SCHEMA_BYTES_MAX));
                    let text = text.map_err(|e| format!("`{}` {e}", shown.display()))?;
                    return Ok(Some(text));
                }
            }
        }
        Ok(None)
    }
}
