//! What clients can ask of the graph besides its relations: ways, names across pages, relations beside hits.

use super::*;
use edgemem::operation::{Link, Search};

fn traveller() -> Fixture {
    let fixture = Fixture::new();
    learn(
        &fixture,
        "2026-01-10",
        json!([
            fact(
                "User is allergic to peanuts",
                ["user", "allergic_to", "peanuts"],
                ["", "food"],
                None
            ),
            lives("User lives in New York", "New York", None),
            fact(
                "User's sister Melanie, called Mel, lives in Portland",
                ["Melanie", "lives_in", "Portland"],
                ["person", "place"],
                None
            ),
        ]),
    );
    learn(
        &fixture,
        "2026-03-01",
        json!([fact(
            "User visits Tokyo",
            ["user", "visits", "Tokyo"],
            ["", "place"],
            None
        )]),
    );
    learn(
        &fixture,
        "2026-05-09",
        json!([lives(
            "User moved to San Francisco",
            "San Francisco",
            Some("2026-05-02")
        )]),
    );
    fixture
}

fn ways(fixture: &Fixture, from: &str, to: &str, as_of: Option<&str>) -> Vec<Vec<Link>> {
    let asked = Operation::Path {
        from: EntityId(from.into()),
        to: EntityId(to.into()),
        as_of: as_of.map(|at| at.parse().unwrap()),
    };
    match fixture.apply(asked) {
        Reply::Paths { entities, paths } => {
            let ends = paths.iter().flatten().map(|link| &link.relation);
            let ends = ends.flat_map(|it| [Some(&it.subject), it.object.entity()]);
            for end in ends {
                assert!(entities.iter().any(|entity| Some(&entity.id) == end));
            }
            paths
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_trip_leads_to_an_allergy_by_whom_it_concerns() {
    let fixture = traveller();
    let found = ways(&fixture, "TOKYO", "peanuts", None);
    let steps: Vec<(&str, bool)> = found[0]
        .iter()
        .map(|link| (link.relation.predicate.as_str(), link.backwards))
        .collect();
    assert_eq!(steps, [("visits", true), ("allergic_to", false)]);
    assert!(ways(&fixture, "Tokyo", "Portland", None).is_empty());
    assert!(
        ways(&fixture, "Tokyo", "New York", None).is_empty(),
        "she moved away"
    );
    assert_eq!(
        ways(&fixture, "Tokyo", "New York", Some("2026-04-01")).len(),
        1
    );
    let nobody = Operation::Path {
        from: EntityId("Tokyo".into()),
        to: EntityId("Atlantis".into()),
        as_of: None,
    };
    let problem = fixture.try_apply(nobody).unwrap_err().problem();
    assert_eq!(
        (problem.status, problem.code.as_str()),
        (404, "entity_not_found")
    );
}

#[test]
fn a_page_names_what_its_relations_point_at() {
    let fixture = traveller();
    let mut relations = 0;
    for page in 1..=7 {
        let asked = Graph {
            page,
            page_size: 1,
            ..Graph::default()
        };
        let Reply::Graph {
            total,
            entities,
            relations: here,
            names,
        } = fixture.apply(Operation::Graph(asked))
        else {
            panic!()
        };
        assert_eq!((total, entities.len()), (7, 1), "{entities:?}");
        for relation in &here {
            assert_eq!(relation.subject, entities[0].id);
            let object = relation.object.entity().unwrap();
            assert!(
                names
                    .iter()
                    .any(|(id, name)| id == object && name.to_lowercase() == object.0)
            );
        }
        relations += here.len();
    }
    assert_eq!(relations, 4);
}

#[test]
fn a_search_tells_the_relations_around_its_hits() {
    let fixture = traveller();
    let search = |query: &str, relations| Search {
        query: query.to_owned(),
        relations,
        top_k: 1,
        ..Search::default()
    };
    let found = fixture.apply(Operation::Search(search("Where does Melanie live?", true)));
    let Reply::Related { hits, relations } = found else {
        panic!("{found:?}")
    };
    assert!(hits[0].memory.text().contains("Melanie"));
    let words: Vec<String> = relations
        .iter()
        .map(|it| format!("{} {} {}", it.source, it.relationship, it.target))
        .collect();
    assert_eq!(words[0], "Melanie lives_in Portland");
    let found = fixture.apply(Operation::Search(search(
        "Where does the user live now?",
        true,
    )));
    let Reply::Related { relations, .. } = found else {
        panic!("{found:?}")
    };
    assert!(
        relations.iter().any(|it| it.target == "San Francisco"),
        "{relations:?}"
    );
    assert!(
        relations.iter().all(|it| it.target != "New York"),
        "it holds no longer: {relations:?}"
    );
    let plain = fixture.apply(Operation::Search(search("Melanie", false)));
    assert!(matches!(plain, Reply::Hits(_)));
}

#[test]
fn entities_are_corrected_by_any_of_their_names() {
    let fixture = traveller();
    learn(
        &fixture,
        "2026-05-10",
        json!([fact(
            "Lanie bakes bread",
            ["Lanie", "likes", "bread"],
            ["person", "food"],
            None
        )]),
    );
    let merged = fixture.apply(Operation::MergeEntities {
        from: EntityId("LANIE".into()),
        into: EntityId("Melanie".into()),
    });
    let Reply::Entity(view) = merged else {
        panic!("{merged:?}")
    };
    assert_eq!(view.entity.name, "Melanie");
    assert_eq!(view.relations.len(), 2, "{:?}", view.relations);
}
