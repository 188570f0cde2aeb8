//! Data is held against a [`Shape`].

use serde_json::{Map, Value};

use super::{At, Node, Shape, Span};

/// The types, in the order of their bits.
pub(super) const TYPES: [&str; 7] = [
    "null", "boolean", "integer", "number", "string", "array", "object",
];

/// Steps of one check: the largest object has about 10⁵ members.
///
/// A schema that needs more of them is a trap.
const STEPS_MAX: u32 = 400_000;
/// How deep references and data may nest together.
const DEPTH_MAX: u16 = 256;

struct Checker<'s> {
    shape: &'s Shape,
    steps: u32,
    depth: u16,
}

/// Why not, innermost place last; `Ok` is a fit.
type Fit = Result<(), String>;

pub(super) fn check(shape: &Shape, data: &Value, path: Option<&[String]>) -> Fit {
    let mut checker = Checker {
        shape,
        steps: 0,
        depth: 0,
    };
    checker
        .visit(0, data, path)
        .map_err(|why| format!("the schema: {why}"))
}

impl Checker<'_> {
    fn visit(&mut self, at: At, data: &Value, path: Option<&[String]>) -> Fit {
        self.count(1)?;
        if self.depth >= DEPTH_MAX {
            return Err("references lead too deep".to_owned());
        }
        let shape = self.shape;
        let Some(node) = shape.nodes.get(at) else {
            return Ok(());
        };
        self.depth += 1;
        let fit = self.node(node, data, path);
        self.depth -= 1;
        fit
    }

    fn node(&mut self, node: &Node, data: &Value, path: Option<&[String]>) -> Fit {
        if node.is_never {
            return Err("nothing is allowed here".to_owned());
        }
        if let Some(at) = node.reference {
            return self.visit(at, data, path);
        }
        typed(node, data)?;
        if let Some(values) = &node.values {
            self.count(values.len())?;
            if !values.contains(data) {
                return Err("is not one of the values that are allowed".to_owned());
            }
        }
        match data {
            Value::Number(number) => numeric(node, number.as_f64().unwrap_or_default())?,
            Value::String(text) => self.text(node, text)?,
            Value::Array(items) => self.items(node, items, path)?,
            Value::Object(members) => self.members(node, members, path)?,
            Value::Null | Value::Bool(_) => {}
        }
        self.combined(node, data, path)
    }

    fn text(&mut self, node: &Node, text: &str) -> Fit {
        if node.length.least.is_some() || node.length.most.is_some() {
            within(node.length, text.chars().count(), "characters")?;
        }
        if let Some(pattern) = &node.pattern {
            self.count(text.len() / 64)?;
            if !pattern.is_match(text) {
                return Err(format!("does not match `{pattern}`"));
            }
        }
        Ok(())
    }

    // A change of an array may move its elements: only a change inside of one
    // leaves the others where they were.
    fn items(&mut self, node: &Node, items: &[Value], path: Option<&[String]>) -> Fit {
        within(node.count, items.len(), "elements")?;
        let inside = path.filter(|path| path.len() > 1);
        let only = inside.and_then(|path| path.first()?.parse::<usize>().ok());
        for (index, item) in items.iter().enumerate() {
            if only.is_some_and(|only| only != index) {
                continue;
            }
            let each = node.each.get(index).copied();
            let rest = if node.each.is_empty() {
                None
            } else {
                node.additional_items
            };
            if let Some(at) = each.or(rest).or(node.items) {
                let deeper = inside.and_then(|path| path.get(1..));
                self.visit(at, item, deeper)
                    .map_err(|why| format!("{index}: {why}"))?;
            }
        }
        if node.is_unique {
            self.unique(items)?;
        }
        Ok(())
    }

    fn unique(&mut self, items: &[Value]) -> Fit {
        let mut seen = std::collections::HashSet::new();
        for item in items {
            let text = item.to_string();
            self.count(text.len() / 64 + 1)?;
            if !seen.insert(text) {
                return Err("has an element twice".to_owned());
            }
        }
        Ok(())
    }

    fn members(
        &mut self,
        node: &Node,
        members: &Map<String, Value>,
        path: Option<&[String]>,
    ) -> Fit {
        within(node.members, members.len(), "members")?;
        if let Some(missing) = node
            .required
            .iter()
            .find(|name| !members.contains_key(*name))
        {
            return Err(format!("the member `{missing}` is missing"));
        }
        match path.and_then(<[String]>::split_first) {
            Some((name, rest)) => {
                if let Some(member) = members.get(name) {
                    let rest = (!rest.is_empty()).then_some(rest);
                    self.member(node, name, member, rest)?;
                }
            }
            None => {
                for (name, member) in members {
                    self.member(node, name, member, None)?;
                }
            }
        }
        self.dependent(node, members)
    }

    fn member(&mut self, node: &Node, name: &str, member: &Value, path: Option<&[String]>) -> Fit {
        let mut is_named = false;
        if let Some(at) = node.properties.get(name) {
            is_named = true;
            self.visit(*at, member, path)
                .map_err(|why| format!("`{name}`: {why}"))?;
        }
        for (pattern, at) in &node.patterns {
            self.count(name.len() / 64 + 1)?;
            if pattern.is_match(name) {
                is_named = true;
                self.visit(*at, member, path)
                    .map_err(|why| format!("`{name}`: {why}"))?;
            }
        }
        match node.additional {
            Some(at) if !is_named => self
                .visit(at, member, path)
                .map_err(|why| format!("`{name}`: {why}")),
            _ => Ok(()),
        }
    }

    fn dependent(&mut self, node: &Node, members: &Map<String, Value>) -> Fit {
        for (name, needs, at) in &node.dependencies {
            if !members.contains_key(name) {
                continue;
            }
            self.count(needs.len())?;
            if let Some(missing) = needs.iter().find(|need| !members.contains_key(*need)) {
                return Err(format!("with `{name}` goes `{missing}`, which is missing"));
            }
            if let Some(at) = at {
                let data = Value::Object(members.clone());
                self.count(members.len())?;
                self.visit(*at, &data, None)?;
            }
        }
        Ok(())
    }

    // What fits one of several may be beside the change: these look at all of it.
    fn combined(&mut self, node: &Node, data: &Value, path: Option<&[String]>) -> Fit {
        for at in &node.all {
            self.visit(*at, data, path)?;
        }
        if !node.any.is_empty() && self.fitting(&node.any, data)? == 0 {
            return Err("fits none of several".to_owned());
        }
        if !node.one.is_empty() && self.fitting(&node.one, data)? != 1 {
            return Err("does not fit exactly one of several".to_owned());
        }
        if let Some(at) = node.not
            && self.fitting(&[at], data)? == 1
        {
            return Err("fits what it must not".to_owned());
        }
        Ok(())
    }

    fn fitting(&mut self, shapes: &[At], data: &Value) -> Result<usize, String> {
        let mut count = 0;
        for at in shapes {
            count += usize::from(self.visit(*at, data, None).is_ok());
            // A check that ended at its bound found nothing out.
            self.count(0)?;
        }
        Ok(count)
    }

    fn count(&mut self, steps: usize) -> Fit {
        self.steps = self
            .steps
            .saturating_add(u32::try_from(steps).unwrap_or(u32::MAX));
        if self.steps > STEPS_MAX {
            return Err(format!("it takes more than {STEPS_MAX} steps"));
        }
        Ok(())
    }
}

fn typed(node: &Node, data: &Value) -> Fit {
    let Some(types) = node.types else {
        return Ok(());
    };
    let bits: u8 = match data {
        Value::Null => 1,
        Value::Bool(_) => 2,
        // A whole number is both; 1.0 is whole, as scripts do not tell them apart.
        Value::Number(n) if n.as_f64().is_some_and(|n| n.fract() == 0.0) => 4 | 8,
        Value::Number(_) => 8,
        Value::String(_) => 16,
        Value::Array(_) => 32,
        Value::Object(_) => 64,
    };
    if types & bits != 0 {
        return Ok(());
    }
    let wanted = TYPES
        .iter()
        .enumerate()
        .filter(|(at, _)| types & (1 << at) != 0);
    let wanted: Vec<&str> = wanted.map(|(_, name)| *name).collect();
    Err(format!("must be of type {}", wanted.join(" or ")))
}

fn numeric(node: &Node, number: f64) -> Fit {
    let is_below =
        |(bound, exclusive): (f64, bool)| number < bound || (exclusive && number <= bound);
    let is_above =
        |(bound, exclusive): (f64, bool)| number > bound || (exclusive && number >= bound);
    if let Some(minimum) = node.minimum.filter(|minimum| is_below(*minimum)) {
        return Err(format!("is below {}", minimum.0));
    }
    if let Some(maximum) = node.maximum.filter(|maximum| is_above(*maximum)) {
        return Err(format!("is above {}", maximum.0));
    }
    let step = node.multiple_of.filter(|step| *step > 0.0);
    let is_off = |step: f64| (number / step - (number / step).round()).abs() > 1e-9;
    match step.filter(|step| is_off(*step)) {
        Some(step) => Err(format!("is not a multiple of {step}")),
        None => Ok(()),
    }
}

fn within(span: Span, count: usize, what: &str) -> Fit {
    let count = count as u64;
    if let Some(least) = span.least.filter(|least| count < *least) {
        return Err(format!("has {count} {what}, fewer than {least}"));
    }
    match span.most.filter(|most| count > *most) {
        Some(most) => Err(format!("has {count} {what}, more than {most}")),
        None => Ok(()),
    }
}
