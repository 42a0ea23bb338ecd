//! Which spaces a filter speaks of.

use crate::memory::{Filter, Operator, Owner, OwnerKind};

/// Owners by name, and all owners of some kinds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Places {
    /// These.
    pub named: Vec<Owner>,
    /// All of these kinds; with `under` only those with memories under that id.
    pub kinds: Vec<OwnerKind>,
    /// Narrows `kinds`.
    pub under: Option<(OwnerKind, String)>,
}

impl Places {
    /// Every space.
    pub fn everywhere() -> Self {
        Self {
            kinds: OwnerKind::ALL.to_vec(),
            ..Self::default()
        }
    }

    /// Whether the directory has to say which they are.
    pub fn is_wide(&self) -> bool {
        !self.kinds.is_empty()
    }

    /// Both. What only one of them narrows is not narrowed any more.
    fn and(mut self, other: Self) -> Self {
        self.named.extend(other.named);
        let is_narrowed = self.under == other.under || other.kinds.is_empty();
        if self.kinds.is_empty() {
            self.under = other.under;
        } else if !is_narrowed {
            self.under = None;
        }
        for kind in other.kinds {
            if !self.kinds.contains(&kind) {
                self.kinds.push(kind);
            }
        }
        self
    }
}

fn field(kind: OwnerKind) -> String {
    format!("{}_id", kind.as_str())
}

/// The places that can hold what a filter selects; `None` when it names nobody. A memory lives with its user, else
/// with its agent, its app, its run: a kind that comes first decides.
pub(super) fn places(filter: &Filter) -> Option<Places> {
    if let Filter::Or(parts) = filter {
        let mut all = Places::default();
        for part in parts {
            all = all.and(places(part)?);
        }
        return (!parts.is_empty()).then_some(all);
    }
    for (kind, rest) in OwnerKind::ALL.into_iter().zip(1..) {
        if let Some(ids) = filter.required(&field(kind)) {
            let named = ids.into_iter().map(|id| Owner::new(kind, id)).collect();
            return Some(Places {
                named,
                ..Places::default()
            });
        }
        if is_wild(filter, &field(kind)) {
            let later = OwnerKind::ALL.into_iter().skip(rest);
            let mut later = later.filter_map(|kind| {
                let [id] = filter.required(&field(kind))?.try_into().ok()?;
                Some((kind, id))
            });
            return Some(Places {
                kinds: vec![kind],
                under: later.next(),
                ..Places::default()
            });
        }
        if let Filter::And(parts) = filter {
            let choice = |part: &&Filter| {
                matches!(part, Filter::Or(_) | Filter::And(_)) && part.mentions(&field(kind))
            };
            if let Some(found) = parts.iter().filter(choice).find_map(places) {
                return Some(found);
            }
        }
    }
    None
}

/// Whether a filter asks for any value of a field.
fn is_wild(filter: &Filter, name: &str) -> bool {
    match filter {
        Filter::And(parts) => parts.iter().any(|part| is_wild(part, name)),
        Filter::Field(condition) => {
            condition.field == name && condition.operator == Operator::Exists
        }
        Filter::Or(_) | Filter::Not(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of(filter: Value) -> Option<(Vec<String>, Vec<&'static str>, Option<String>)> {
        let found = places(&Filter::read(&filter).unwrap())?;
        Some((
            found.named.iter().map(Owner::to_string).collect(),
            found.kinds.iter().map(|kind| kind.as_str()).collect(),
            found
                .under
                .map(|(kind, id)| format!("{} {id}", kind.as_str())),
        ))
    }

    #[test]
    fn a_filter_tells_which_spaces_can_hold_what_it_selects() {
        let named = |names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            Some((names, vec![], None))
        };
        for (filter, expected) in [
            (json!({"user_id": "u", "agent_id": "a"}), named(&["user u"])),
            (json!({"user_id": "u", "run_id": "*"}), named(&["user u"])),
            (json!({"user_id": ["u", "v"]}), named(&["user u", "user v"])),
            (
                json!({"OR": [{"user_id": "u"}, {"agent_id": "a"}]}),
                named(&["user u", "agent a"]),
            ),
            (
                json!({"AND": [{"OR": [{"user_id": "u"}, {"agent_id": "a"}]}, {"topic": 1}]}),
                named(&["user u", "agent a"]),
            ),
            (json!({"user_id": "*"}), Some((vec![], vec!["user"], None))),
            (
                json!({"AND": [{"user_id": "*"}, {"agent_id": "a"}]}),
                Some((vec![], vec!["user"], Some("agent a".into()))),
            ),
            (
                json!({"OR": [{"user_id": "*"}, {"agent_id": "*"}]}),
                Some((vec![], vec!["user", "agent"], None)),
            ),
            (json!({"OR": [{"user_id": "u"}, {"topic": 1}]}), None),
            (json!({"topic": 1}), None),
            (json!({"NOT": [{"user_id": "u"}]}), None),
        ] {
            assert_eq!(of(filter.clone()), expected, "{filter}");
        }
    }
}
