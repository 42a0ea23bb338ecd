use super::*;

#[test]
fn words_for_the_same_are_one() {
    for (said, word, swapped, over) in [
        ("resides_in", "lives_in", false, false),
        ("moved_to", "lives_in", false, false),
        ("moved_from", "lives_in", false, true),
        ("currently_lives_in", "lives_in", false, false),
        ("no_longer_works_for", "works_at", false, true),
        ("is_married_to", "married_to", false, false),
        ("divorced_from", "married_to", false, true),
        ("has_sister", "sister_of", true, false),
        ("sister_of", "sister_of", false, false),
        ("child_of", "parent_of", true, false),
        ("favourite_colour", "favorite_colour", false, false),
        ("used_to_collect", "collect", false, true),
        ("is_building", "is_building", false, false),
    ] {
        let read = read(said);
        assert_eq!(
            (read.predicate.as_str(), read.swapped, read.over),
            (word, swapped, over),
            "{said}"
        );
    }
    assert!(is_single("lives_in") && is_single("favorite_colour") && !is_single("likes"));
    assert!(is_symmetric("married_to") && !is_symmetric("sister_of"));
    assert!(never_changes("birthday") && !never_changes("sister_of") && !never_changes("age"));
    assert_eq!(naming("renamed_to"), Some(Naming::Renamed));
}

#[test]
fn what_comes_to_an_end_has_the_time_of_its_end() {
    for over in ["outgrew_allergy_to", "stopped_playing", "no_longer_smokes"] {
        let read = read(over);
        assert!(read.over && read.is_change, "{over}");
    }
    let words = CHANGES.split_whitespace();
    assert!(words.into_iter().all(|word| look_up(word).is_some()));
}

#[test]
fn no_word_has_two_meanings() {
    let mut seen = std::collections::BTreeSet::new();
    for (word, _, same, other_end, ended) in VOCABULARY {
        let all = [*word, same, other_end, ended];
        for word in all.iter().flat_map(|words| words.split_whitespace()) {
            assert!(seen.insert(word), "{word}");
            assert!(naming(word).is_none(), "{word}");
        }
    }
}
