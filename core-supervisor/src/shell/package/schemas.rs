//! Reads data schemas: `<provider>/.well-known/dataschema/NAME.ds.json`.

use super::Catalogues;
use super::stock::stocks;
use crate::rooms::catalogue::SchemaWanted;
use crate::rooms::catalogue::elsewhere::{AskedFor, Elsewhere, schema_of};
use crate::rooms::sync::shape::SCHEMA_BYTES_MAX;

/// The text of a schema, and where else it may be when it is not here.
type Read = (Result<Option<Vec<u8>>, String>, Option<Box<Elsewhere>>);

impl Catalogues {
    /// The text of a schema, as the first catalogue has it that does, or as it was
    /// fetched; where to fetch it, when that is due. `is_here` when elsewhere was asked.
    pub fn schema(&self, wanted: &SchemaWanted, is_here: bool) -> Read {
        let found = self.schema_here(wanted);
        let item = schema_of(wanted).filter(|_| self.cache.is_some());
        let (Ok(None), Some(item)) = (&found, item) else {
            return (found, None);
        };
        let asked = (AskedFor::Schema(wanted.clone()), is_here);
        match self.fetched_schema(item, asked) {
            Ok(text) => (Ok(Some(text)), None),
            Err(absent) => (Ok(None), absent.elsewhere),
        }
    }

    fn schema_here(&self, wanted: &SchemaWanted) -> Result<Option<Vec<u8>>, String> {
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
