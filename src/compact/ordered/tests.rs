//! Against the standard library's.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{OrderedMap, OrderedSet};

/// What is done with a map.
#[derive(Debug, Clone)]
enum Step {
    Insert(u16, u8),
    Add(u16, u8),
    Remove(u16),
    Retain(u16),
}

fn step() -> impl Strategy<Value = Step> {
    let key = 0u16..600;
    prop_oneof![
        6 => (key.clone(), any::<u8>()).prop_map(|(key, value)| Step::Insert(key, value)),
        2 => (key.clone(), any::<u8>()).prop_map(|(key, value)| Step::Add(key, value)),
        3 => key.prop_map(Step::Remove),
        1 => (2u16..50).prop_map(Step::Retain),
    ]
}

proptest! {
    #[test]
    fn a_map_does_what_the_standard_one_does(
        sorted in any::<bool>(),
        steps in prop::collection::vec(step(), 0..900),
        probes in prop::collection::vec(0u16..700, 8),
    ) {
        let mut steps = steps;
        if sorted {
            steps.sort_by_key(|step| match step {
                Step::Insert(key, _) | Step::Add(key, _) | Step::Remove(key) => *key,
                Step::Retain(_) => u16::MAX,
            });
        }
        let (mut ours, mut theirs) = (OrderedMap::new(), BTreeMap::new());
        for step in steps {
            match step {
                Step::Insert(key, value) => {
                    prop_assert_eq!(ours.insert(key, value), theirs.insert(key, value));
                }
                Step::Add(key, value) => {
                    ours.change(key, |known: &mut u8| *known = known.wrapping_add(value));
                    let known = theirs.entry(key).or_default();
                    *known = known.wrapping_add(value);
                }
                Step::Remove(key) => prop_assert_eq!(ours.remove(&key), theirs.remove(&key)),
                Step::Retain(by) => {
                    ours.retain(|key, _| key % by != 0);
                    theirs.retain(|key, _| key % by != 0);
                }
            }
            prop_assert_eq!(ours.len(), theirs.len());
            prop_assert_eq!(ours.is_empty(), theirs.is_empty());
        }
        prop_assert!(ours.iter().eq(theirs.iter()));
        prop_assert!(ours.iter().rev().eq(theirs.iter().rev()));
        prop_assert!(ours.values().eq(theirs.values()));
        for key in probes {
            prop_assert_eq!(ours.get(&key), theirs.get(&key));
            prop_assert_eq!(ours.get_mut(&key), theirs.get_mut(&key));
            prop_assert_eq!(ours.contains_key(&key), theirs.contains_key(&key));
            prop_assert!(ours.starting_at(&key).eq(theirs.range(key..)));
            prop_assert!(ours.starting_at(&key).rev().eq(theirs.range(key..).rev()));
        }
        // From both ends at once.
        let (mut both, mut expected) = (ours.iter(), theirs.iter());
        loop {
            let (first, last) = (both.next(), both.next_back());
            prop_assert_eq!((first, last), (expected.next(), expected.next_back()));
            if last.is_none() {
                break;
            }
        }
        prop_assert!(ours.clone().into_iter().eq(theirs.clone()));
        prop_assert!(ours.into_values().eq(theirs.into_values()));
    }

    #[test]
    fn a_set_does_what_the_standard_one_does(
        texts in prop::collection::vec("[a-c]{0,4}", 0..200),
        gone in prop::collection::vec("[a-c]{0,4}", 0..50),
    ) {
        let (mut ours, mut theirs) = (OrderedSet::new(), BTreeSet::new());
        for text in &texts {
            prop_assert_eq!(ours.insert(text.clone()), theirs.insert(text.clone()));
        }
        prop_assert_eq!(&ours, &texts.iter().cloned().collect());
        for text in &gone {
            prop_assert_eq!(ours.contains(text.as_str()), theirs.contains(text.as_str()));
            prop_assert_eq!(ours.remove(text.as_str()), theirs.remove(text.as_str()));
            prop_assert_eq!(ours.first(), theirs.first());
            prop_assert!(ours.starting_at("b").eq(theirs.range("b".to_owned()..)));
        }
        for _ in 0..3 {
            prop_assert_eq!(ours.pop_first(), theirs.pop_first());
        }
        prop_assert_eq!(ours.len(), theirs.len());
        prop_assert!(ours.into_iter().eq(theirs));
    }
}
