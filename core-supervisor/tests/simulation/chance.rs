//! Chance that can be repeated, and the rules that take turns.

/// The same numbers from the same seed.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let high = usize::try_from(self.0 >> 33).unwrap();
        high % sides
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.roll(from.len())]
    }
}

/// The domain whose stub comes and goes.
pub(crate) const FAR: &str = "far.example";

/// Two sets of rules that take turns.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Rules {
    AWithB,
    AToC,
}

impl Rules {
    pub(crate) fn text(self) -> String {
        let rule = |id: &str, from: &str, to: &str| {
            format!(
                "@id(\"{id}\")\n@why(\"the simulation says so\")\npermit (principal is Hyperty in Provider::\"{from}\", \
                 action in [Action::\"message\", Action::\"listen\"], resource is Hyperty in Provider::\"{to}\");\n"
            )
        };
        let far = |id: &str, from: &str| {
            format!(
                "@id(\"{id}\")\n@why(\"the simulation says so\")\npermit (principal is Hyperty in Provider::\"{from}\", \
                 action in Action::\"message\", resource is Remote) when {{ resource.domain == \"{FAR}\" }};\n"
            )
        };
        match self {
            Self::AWithB => {
                rule("ab", "a.example", "b.example")
                    + &rule("ba", "b.example", "a.example")
                    + &far("af", "a.example")
                    + &far("bf", "b.example")
            }
            Self::AToC => rule("ac", "a.example", "c.example") + &far("af", "a.example"),
        }
    }

    /// What the rules mean, read by a person and not by the policy engine.
    pub(crate) fn permit(self, from: &str, to: &str) -> bool {
        let pair = (&from[..1], &to[..1]);
        from == to
            || match self {
                Self::AWithB => matches!(pair, ("a", "b" | "f") | ("b", "a" | "f")),
                Self::AToC => matches!(pair, ("a", "c" | "f")),
            }
    }
}
