//! A schema's text becomes a [`Shape`].

use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};

use super::check::TYPES;
use super::{At, Node, Shape, Span, Strictness};

/// Bytes of a schema: the largest published one has 4 KiB.
pub(crate) const SCHEMA_BYTES_MAX: usize = 64 * 1024;
/// Subschemas of a schema: as many as so many bytes can hold in a sensible one.
const NODES_MAX: usize = 4096;
/// Expressions of a schema, and bytes that each may take once it is compiled.
const PATTERNS_MAX: usize = 64;
const PATTERN_BYTES_MAX: usize = 128 * 1024;
/// How deep subschemas nest.
const DEPTH_MAX: usize = 64;

struct Reader<'s> {
    whole: &'s Value,
    nodes: Vec<Node>,
    // Pointers that were referred to, and the nodes they lead to.
    known: BTreeMap<String, At>,
    patterns: usize,
}

pub(super) fn read(text: &[u8]) -> Result<Shape, String> {
    if text.len() > SCHEMA_BYTES_MAX {
        return Err(format!("it is longer than {SCHEMA_BYTES_MAX} bytes"));
    }
    let whole: Value = serde_json::from_slice(text).map_err(|e| format!("it is no JSON: {e}"))?;
    let strictness = match whole.get("x-validation").and_then(Value::as_str) {
        None | Some("reject") => Strictness::Reject,
        Some("warn") => Strictness::Warn,
        Some("off") => Strictness::Off,
        Some(other) => {
            return Err(format!(
                "`x-validation` is `{other}`: say reject, warn or off"
            ));
        }
    };
    let mut reader = Reader {
        whole: &whole,
        nodes: Vec::new(),
        known: BTreeMap::new(),
        patterns: 0,
    };
    reader.refer("#", 0)?;
    Ok(Shape {
        nodes: reader.nodes,
        strictness,
    })
}

impl Reader<'_> {
    // A pointer leads to one node, however often it is named: a cycle ends here.
    fn refer(&mut self, pointer: &str, depth: usize) -> Result<At, String> {
        if let Some(at) = self.known.get(pointer) {
            return Ok(*at);
        }
        let inside = pointer.strip_prefix('#');
        let inside =
            inside.ok_or_else(|| format!("`{pointer}` leads out of it, which is not followed"))?;
        let whole = self.whole;
        let target = whole.pointer(inside);
        let target = target.ok_or_else(|| format!("`{pointer}` leads nowhere"))?;
        let at = self.reserve()?;
        self.known.insert(pointer.to_owned(), at);
        let node = self.node(target, depth)?;
        if let Some(place) = self.nodes.get_mut(at) {
            *place = node;
        }
        Ok(at)
    }

    fn sub(&mut self, schema: &Value, depth: usize) -> Result<At, String> {
        let at = self.reserve()?;
        let node = self.node(schema, depth + 1)?;
        if let Some(place) = self.nodes.get_mut(at) {
            *place = node;
        }
        Ok(at)
    }

    fn reserve(&mut self) -> Result<At, String> {
        if self.nodes.len() >= NODES_MAX {
            return Err(format!("it has more than {NODES_MAX} parts"));
        }
        self.nodes.push(Node::default());
        Ok(self.nodes.len() - 1)
    }

    fn node(&mut self, schema: &Value, depth: usize) -> Result<Node, String> {
        if depth > DEPTH_MAX {
            return Err(format!("it nests deeper than {DEPTH_MAX} levels"));
        }
        let members = match schema {
            Value::Object(members) => members,
            Value::Bool(is_any) => {
                return Ok(Node {
                    is_never: !is_any,
                    ..Node::default()
                });
            }
            other => return Err(format!("`{other}` is no schema")),
        };
        // Draft 4: what stands beside a reference does not count.
        if let Some(Value::String(pointer)) = members.get("$ref") {
            return Ok(Node {
                reference: Some(self.refer(pointer, depth + 1)?),
                ..Node::default()
            });
        }
        let mut node = Node {
            types: types(members)?,
            values: values(members),
            minimum: bound(members, "minimum", "exclusiveMinimum"),
            maximum: bound(members, "maximum", "exclusiveMaximum"),
            multiple_of: members.get("multipleOf").and_then(Value::as_f64),
            length: span(members, "minLength", "maxLength"),
            count: span(members, "minItems", "maxItems"),
            members: span(members, "minProperties", "maxProperties"),
            is_unique: members.get("uniqueItems") == Some(&Value::Bool(true)),
            required: names(members.get("required")),
            ..Node::default()
        };
        if let Some(Value::String(pattern)) = members.get("pattern") {
            node.pattern = Some(self.pattern(pattern)?);
        }
        self.arrays(members, &mut node, depth)?;
        self.objects(members, &mut node, depth)?;
        node.all = self.list(members, "allOf", depth)?;
        node.any = self.list(members, "anyOf", depth)?;
        node.one = self.list(members, "oneOf", depth)?;
        node.not = self.optional(members, "not", depth)?;
        Ok(node)
    }

    fn arrays(
        &mut self,
        members: &Map<String, Value>,
        node: &mut Node,
        depth: usize,
    ) -> Result<(), String> {
        match members.get("items") {
            Some(Value::Array(_)) => {
                node.each = self.list(members, "items", depth)?;
                node.additional_items = self.optional(members, "additionalItems", depth)?;
            }
            Some(items) => node.items = Some(self.sub(items, depth)?),
            None => {}
        }
        Ok(())
    }

    fn objects(
        &mut self,
        members: &Map<String, Value>,
        node: &mut Node,
        depth: usize,
    ) -> Result<(), String> {
        for (name, schema) in object(members, "properties") {
            let at = self.sub(schema, depth)?;
            node.properties.insert(name.clone(), at);
        }
        for (pattern, schema) in object(members, "patternProperties") {
            let pattern = self.pattern(pattern)?;
            let at = self.sub(schema, depth)?;
            node.patterns.push((pattern, at));
        }
        node.additional = self.optional(members, "additionalProperties", depth)?;
        for (name, needs) in object(members, "dependencies") {
            let at = match needs {
                Value::Array(_) => None,
                schema => Some(self.sub(schema, depth)?),
            };
            node.dependencies
                .push((name.clone(), names(Some(needs)), at));
        }
        Ok(())
    }

    fn list(
        &mut self,
        members: &Map<String, Value>,
        name: &str,
        depth: usize,
    ) -> Result<Vec<At>, String> {
        let schemas = members.get(name).and_then(Value::as_array);
        let schemas = schemas.into_iter().flatten();
        schemas.map(|schema| self.sub(schema, depth)).collect()
    }

    fn optional(
        &mut self,
        members: &Map<String, Value>,
        name: &str,
        depth: usize,
    ) -> Result<Option<At>, String> {
        let schema = members.get(name);
        schema.map(|schema| self.sub(schema, depth)).transpose()
    }

    fn pattern(&mut self, text: &str) -> Result<Regex, String> {
        self.patterns += 1;
        if self.patterns > PATTERNS_MAX {
            return Err(format!("it has more than {PATTERNS_MAX} expressions"));
        }
        let mut builder = RegexBuilder::new(text);
        let built = builder
            .size_limit(PATTERN_BYTES_MAX)
            .dfa_size_limit(PATTERN_BYTES_MAX)
            .build();
        built.map_err(|_| {
            format!("the expression `{text}` cannot be matched in linear time, or is too large")
        })
    }
}

fn types(members: &Map<String, Value>) -> Result<Option<u8>, String> {
    let named = match members.get("type") {
        None => return Ok(None),
        Some(Value::String(name)) => vec![name.clone()],
        some => names(some),
    };
    let mut bits = 0;
    for name in named {
        let at = TYPES.iter().position(|known| *known == name);
        let at = at.ok_or_else(|| format!("`{name}` is not a type"))?;
        bits |= 1 << at;
    }
    Ok(Some(bits))
}

fn values(members: &Map<String, Value>) -> Option<Vec<Value>> {
    let listed = members.get("enum").and_then(Value::as_array).cloned();
    // Schemas here call the one value `constant` (spec messaging §4.1).
    let one = members.get("const").or_else(|| members.get("constant"));
    listed.or_else(|| one.map(|one| vec![one.clone()]))
}

fn bound(members: &Map<String, Value>, name: &str, exclusive: &str) -> Option<(f64, bool)> {
    match (
        members.get(name).and_then(Value::as_f64),
        members.get(exclusive),
    ) {
        (Some(bound), exclusive) => Some((bound, exclusive == Some(&Value::Bool(true)))),
        (None, Some(later_draft)) => later_draft.as_f64().map(|bound| (bound, true)),
        (None, None) => None,
    }
}

fn span(members: &Map<String, Value>, least: &str, most: &str) -> Span {
    Span {
        least: members.get(least).and_then(Value::as_u64),
        most: members.get(most).and_then(Value::as_u64),
    }
}

fn names(list: Option<&Value>) -> Vec<String> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn object<'m>(
    members: &'m Map<String, Value>,
    name: &str,
) -> impl Iterator<Item = (&'m String, &'m Value)> {
    members
        .get(name)
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}
