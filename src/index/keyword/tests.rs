use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// A question of words that stand for one term each.
fn question(text: &str) -> Vec<Vec<String>> {
    words(text).into_iter().map(|word| vec![word]).collect()
}

fn insert(index: &mut KeywordIndex, slot: Slot, text: &str, about: &str, position: Position) {
    let document = Terms {
        language: Language::English,
        text: &words(text),
        about: &words(about),
    };
    index.insert(slot, &document, position);
}

fn slots(found: &[Scored]) -> Vec<Slot> {
    found.iter().map(|(slot, _)| *slot).collect()
}

#[test]
fn documents_that_share_rare_words_are_found_but_not_for_common_or_asked_ones() {
    let mut index = KeywordIndex::new();
    for slot in 0..60 {
        insert(&mut index, slot, "day was fine", "", Position::Alone);
    }
    insert(&mut index, 60, "puppy biscuit day", "may", Position::Alone);
    insert(&mut index, 61, "biscuit slept", "", Position::Alone);
    insert(&mut index, 62, "puppy barked", "may", Position::Alone);
    let all: Bitmap = (0..63).collect();
    let asked = question("puppy");
    let found = index.sharing(&[(60, 1.0)], &asked, 10, &all);
    assert_eq!(slots(&found), [61, 60]);
    assert_eq!(found[0].1, 1.0);
    assert_eq!(index.shared(61, &[60, 62], &asked), Some((60, "biscuit")));
    assert_eq!(index.shared(62, &[60], &asked), None);
    let others: Bitmap = (0..60).collect();
    assert_eq!(index.sharing(&[(60, 1.0)], &asked, 10, &others), []);
}

#[test]
fn rare_words_count_more_and_context_counts_less() {
    let mut index = KeywordIndex::new();
    insert(&mut index, 0, "tea is nice", "", Position::Alone);
    insert(&mut index, 1, "coffee is nice", "", Position::After(0));
    insert(&mut index, 2, "rain is wet", "", Position::Alone);
    let found = index.search(&question("is tea"), 10, None);
    assert_eq!(slots(&found), [0, 1, 2]);
    assert!(found.iter().all(|(_, score)| (0.0..=1.0).contains(score)));
}

#[test]
fn context_is_the_text_of_the_two_before() {
    let mut index = KeywordIndex::new();
    insert(&mut index, 7, "tea", "monday", Position::Alone);
    insert(&mut index, 3, "yes", "tuesday", Position::After(7));
    insert(&mut index, 5, "no", "tuesday", Position::After(3));
    insert(&mut index, 1, "well", "tuesday", Position::After(5));
    assert_eq!(slots(&index.search(&question("tea"), 10, None)), [7, 3, 5]);
    assert_eq!(slots(&index.search(&question("monday"), 10, None)), [7]);
    // One more comes between, and one goes.
    insert(&mut index, 9, "hm", "", Position::After(7));
    assert_eq!(slots(&index.search(&question("tea"), 10, None)), [7, 9, 3]);
    index.remove(3);
    assert_eq!(slots(&index.search(&question("tea"), 10, None)), [7, 9, 5]);
    insert(&mut index, 2, "oolong", "", Position::Before(7));
    assert_eq!(
        slots(&index.search(&question("oolong"), 10, None)),
        [2, 7, 9]
    );
}

#[test]
fn a_word_of_several_terms_counts_once() {
    let mut index = KeywordIndex::new();
    insert(&mut index, 0, "haus am see", "", Position::Alone);
    insert(&mut index, 1, "hauser party", "", Position::Alone);
    insert(&mut index, 2, "see", "", Position::Alone);
    let word = vec![words("haus hauser")];
    let found = index.search(&word, 10, None);
    assert_eq!(slots(&found), [1, 0]);
    let mut same = KeywordIndex::new();
    insert(&mut same, 0, "haus am see", "", Position::Alone);
    insert(&mut same, 1, "haus party", "", Position::Alone);
    insert(&mut same, 2, "see", "", Position::Alone);
    assert_eq!(same.search(&question("haus"), 10, None), found);
}

#[test]
fn a_word_nobody_said_finds_nothing() {
    let mut index = KeywordIndex::new();
    insert(&mut index, 0, "tea", "", Position::Alone);
    assert!(index.search(&question("coffee"), 10, None).is_empty());
    let empty = KeywordIndex::new();
    assert!(empty.search(&question("tea"), 10, None).is_empty());
}

#[test]
fn the_best_are_the_first_of_all() {
    let mut index = KeywordIndex::new();
    for slot in 0..2_000u32 {
        let text = "tea ".repeat(1 + (slot * 7 % 13) as usize) + &"rain ".repeat(slot as usize % 5);
        insert(&mut index, slot, &text, "", Position::Alone);
    }
    let all = index.search(&question("tea rain"), 2_000, None);
    assert!(all.is_sorted_by(|a, b| a.1 > b.1 || (a.1 == b.1 && a.0 < b.0)));
    for k in [0, 1, 10, 300] {
        assert_eq!(index.search(&question("tea rain"), k, None), all[..k]);
    }
    let even: Bitmap = (0..1_000).map(|half| half * 2).collect();
    let found = index.search(&question("tea rain"), 2_000, Some(&even));
    let expected = all.into_iter().filter(|(slot, _)| slot % 2 == 0);
    assert_eq!(found, expected.collect::<Vec<_>>());
}

/// Documents in the order of their one conversation, scored as the formula says.
fn scores(conversation: &[(Slot, String)], query: &[&str]) -> BTreeMap<Slot, f32> {
    let count =
        |text: &str, word: &str| text.split_whitespace().filter(|it| *it == word).count() as f32;
    let with_context = |at: usize, own: &dyn Fn(&str) -> f32| {
        let before = conversation[..at].iter().rev().zip([0.5, 0.25]);
        let context: f32 = before.map(|((_, text), weight)| weight * own(text)).sum();
        own(&conversation[at].1) + context
    };
    let all = 0..conversation.len();
    let length = |at| with_context(at, &|text| text.split_whitespace().count() as f32);
    let average = all.clone().map(length).sum::<f32>() / conversation.len().max(1) as f32;
    let mut scores: BTreeMap<Slot, f32> = BTreeMap::new();
    let mut most = 0.0;
    for word in query {
        let frequency = |at| with_context(at, &|text| count(text, word));
        let matching = all.clone().filter(|at| frequency(*at) > 0.0).count() as f32;
        let idf = (1.0 + (conversation.len() as f32 - matching + 0.5) / (matching + 0.5)).ln();
        most += idf * (K1 + 1.0);
        for at in all.clone() {
            let norm = K1 * (1.0 - B + B * length(at) / average.max(1.0));
            let score = idf * frequency(at) * (K1 + 1.0) / (frequency(at) + norm);
            *scores.entry(conversation[at].0).or_default() += score;
        }
    }
    scores.retain(|_, score| *score > 0.0);
    scores
        .into_iter()
        .map(|(slot, score)| (slot, score / most))
        .collect()
}

proptest! {
    #[test]
    fn a_removed_document_leaves_no_trace(
        steps in prop::collection::vec((0u32..12, any::<bool>(), "[ab ]{0,8}", any::<prop::sample::Index>()), 0..40),
    ) {
        let mut index = KeywordIndex::new();
        let mut kept: Vec<(Slot, String)> = Vec::new();
        for (slot, is_inserted, text, at) in steps {
            kept.retain(|(other, _)| *other != slot);
            if !is_inserted {
                index.remove(slot);
                continue;
            }
            let at = at.index(kept.len() + 1);
            let position = match (at.checked_sub(1), kept.first()) {
                (Some(before), _) => Position::After(kept[before].0),
                (None, Some((first, _))) => Position::Before(*first),
                (None, None) => Position::Alone,
            };
            insert(&mut index, slot, &text, "", position);
            kept.insert(at, (slot, text));
        }
        let mut fresh = KeywordIndex::new();
        let mut position = Position::Alone;
        for (slot, text) in &kept {
            insert(&mut fresh, *slot, text, "", position);
            position = Position::After(*slot);
        }
        let query = question("a b ab");
        let found = index.search(&query, 20, None);
        prop_assert_eq!(&found, &fresh.search(&query, 20, None));
        let expected = scores(&kept, &["a", "ab", "b"]);
        prop_assert_eq!(found.len(), expected.len());
        for (slot, score) in &found {
            prop_assert!((score - expected[slot]).abs() < 1e-5, "{} {:?}", score, expected);
        }
        prop_assert_eq!(index.terms.len(), fresh.terms.len());
        prop_assert_eq!(index.len(), kept.len());
        let mut restored = KeywordIndex::new();
        for first in [0, 5, 10] {
            restored.restore(first, &index.page(first, 5));
        }
        restored.restored();
        prop_assert_eq!(&restored.search(&query, 20, None), &found);
        for slot in 0..12 {
            restored.remove(slot);
        }
        prop_assert_eq!(restored.terms.len(), 0);
        prop_assert_eq!(restored.chain.total(), 0);
    }
}
