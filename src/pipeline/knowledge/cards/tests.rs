use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::memory::{About, Feedback, Times};

fn id(sequence: u32) -> Id {
    Id::new(SpaceHash::of(&["test"]), sequence, u64::from(sequence) * 7)
}

/// A card that is told by a few small numbers.
fn card(sequence: u32, (what, words, run): (u8, u64, u8)) -> Card {
    let is_message = what % 2 == 0;
    let sources: Box<[Id]> = match is_message {
        true => Box::default(),
        false => [id(u32::from(what)), id(2_000)].into(),
    };
    Card {
        id: id(sequence),
        kind: if is_message {
            Kind::Message
        } else {
            Kind::Fact
        },
        transcript: what % 5 == 0,
        current: what % 3 > 0,
        standing: what % 7 == 0,
        immutable: what % 11 == 0,
        feedback: match what % 17 {
            1 => Some(Feedback::Positive),
            2 => Some(Feedback::Negative),
            3 => Some(Feedback::VeryNegative),
            _ => None,
        },
        tells: what,
        times: (what % 3 == 0).then(|| {
            let from = Moment::from_millis(i64::from(what));
            let about = About {
                from,
                until: from.plus_millis(1),
                known: what % 2 == 0,
            };
            Rc::new(Times {
                about: [about].into(),
                over: (what % 4 == 0).then_some(from),
            })
        }),
        traits: Rc::new(Traits {
            scope: Scope {
                user_id: Some("ada".into()),
                run_id: Some(run.to_string()),
                ..Scope::default()
            },
            role: None,
            name: None,
            attributed_to: None,
            categories: Vec::new(),
            metadata: json!({"run": run}).as_object().cloned().unwrap_or_default(),
        }),
        created_at: Moment::from_millis(i64::from(sequence)),
        updated_at: Moment::from_millis(words as i64),
        expires_at: (what % 13 == 0).then(|| Moment::from_millis(5)),
        sources,
        earlier_sources: Box::default(),
        entities: [EntityId(format!("entity {}", what % 4))].into(),
        says: words % 8,
        text: words,
    }
}

proptest! {
    #[test]
    fn cards_and_their_look_ups_are_those_that_were_put(
        steps in prop::collection::vec(
            (0u32..1_500, any::<bool>(), (0u8..40, any::<u64>(), 0u8..3)),
            0..120,
        ),
    ) {
        let mut cards = Cards::default();
        let mut expected: BTreeMap<Id, Card> = BTreeMap::new();
        for (sequence, put, what) in steps {
            if put {
                let card = card(sequence, what);
                let traits = cards.intern((*card.traits).clone());
                let card = Card { traits, ..card };
                cards.put(&card);
                expected.insert(card.id, card);
            } else {
                cards.remove(&id(sequence));
                expected.remove(&id(sequence));
            }
        }
        prop_assert_eq!(cards.count(), expected.len());
        prop_assert!(cards.cards().eq(expected.values().cloned()));
        let ids = |wanted: &dyn Fn(&Card) -> bool| -> Vec<Id> {
            expected.values().filter(|card| wanted(card)).map(|card| card.id).collect()
        };
        prop_assert!(cards.current().eq(ids(&|card| card.current)));
        let counted = (
            ids(&|card| card.current && card.is_listed()).len(),
            ids(&|card| card.current && !card.is_listed()).len(),
        );
        prop_assert_eq!(cards.count_current(), counted);
        let expire = expected.values().filter_map(|card| Some((card.expires_at?, card.id)));
        prop_assert!(cards.expiring().eq(expire));
        for card in expected.values() {
            prop_assert_eq!(cards.card(&card.id), Some(card.clone()));
            let scope = &card.traits.scope;
            let said = ids(&|it| it.kind == Kind::Message && it.traits.scope == *scope);
            prop_assert!(cards.conversation(scope).eq(said.iter().copied()));
            let before = said.iter().rev().filter(|it| **it < card.id).copied();
            prop_assert!(cards.predecessors(scope, &card.id).eq(before));
            let derived = ids(&|it| it.sources.contains(&card.id));
            prop_assert!(cards.facts_of(&card.id).map(|fact| fact.id).eq(derived));
            for entity in card.entities.iter() {
                let mentioned = ids(&|it| it.entities.contains(entity));
                prop_assert!(cards.mentions(entity).eq(mentioned));
            }
        }
        let other = Id::new(SpaceHash::of(&["other"]), 3, 21);
        prop_assert!(cards.card(&other).is_none());
        // What was held is let go.
        for id in expected.keys() {
            cards.remove(id);
        }
        prop_assert_eq!(cards.rare_bytes, 0);
        prop_assert!(cards.said.is_empty() && cards.derived.is_empty() && cards.mentions.is_empty());
        prop_assert!(cards.conversations.is_empty());
    }
}
