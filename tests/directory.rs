//! A project's directory over storage in memory.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use edgemem::directory::{
    Answer, Ask, Delivery, Directory, DirectoryError, Entity, Now, signature,
};
use edgemem::memory::{ChangeKind, Happened, Id, Moment, Notice, Owner, OwnerKind};
use edgemem::operation::{Named, Report};
use edgemem::store::MemoryStorage;
use futures_executor::block_on;
use serde_json::{Value, json};

const T0: i64 = 1_767_225_600_000;

struct Fixture(Directory<MemoryStorage>);

impl Fixture {
    fn new() -> Self {
        Self(Directory::new(MemoryStorage::new(), false))
    }

    fn at(&self, later: i64, ask: Ask) -> Result<Answer, DirectoryError> {
        let now = Now {
            at: Moment::from_millis(T0 + later),
            random: [7; 32],
        };
        block_on(self.0.apply(ask, now))
    }

    fn ask(&self, ask: Ask) -> Answer {
        self.at(0, ask).unwrap()
    }

    fn report(&self, owner: &Owner, named: &[(OwnerKind, &str, usize)], notices: Vec<Notice>) {
        let named = named.iter().map(|(kind, id, memories)| Named {
            kind: *kind,
            id: (*id).to_owned(),
            memories: *memories,
            created_at: Moment::from_millis(T0),
            updated_at: Moment::from_millis(T0),
        });
        let report = Report {
            owner: Some(owner.clone()),
            memories: 2,
            named: named.collect(),
            notices,
            more: false,
        };
        self.ask(Ask::Report {
            space: owner.space_hash(),
            report: Box::new(report),
        });
    }

    fn entities(&self) -> Vec<(String, usize)> {
        let (page, page_size) = (1, 100);
        match self.ask(Ask::Entities { page, page_size }) {
            Answer::Entities(page) => {
                let items = page.items.into_iter();
                items
                    .map(|entity: Entity| (entity.id, entity.memories))
                    .collect()
            }
            other => panic!("{other:?}"),
        }
    }

    fn hook(&self) -> String {
        let fields = json!({"name": "n", "url": "https://example.com/h",
                            "event_types": ["memory_add", "memory_delete"]});
        match self.ask(Ask::AddWebhook {
            fields: map(fields),
        }) {
            Answer::Webhooks(all) => all[0].id.clone(),
            other => panic!("{other:?}"),
        }
    }

    fn due(&self, later: i64) -> (Vec<Delivery>, Option<Moment>) {
        match self.at(later, Ask::Due { limit: 10 }).unwrap() {
            Answer::Due { deliveries, next } => (deliveries, next),
            other => panic!("{other:?}"),
        }
    }
}

fn map(value: Value) -> serde_json::Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn user(id: &str) -> Owner {
    Owner::new(OwnerKind::User, id)
}

fn id(owner: &Owner, sequence: u32) -> Id {
    Id::new(owner.space_hash(), sequence, 1)
}

fn notice(owner: &Owner, sequence: u32, kind: ChangeKind, text: &str) -> Notice {
    Notice {
        id: id(owner, sequence),
        at: Moment::from_millis(T0),
        what: Happened::Memory {
            id: id(owner, 1),
            kind,
            text: text.to_owned(),
            categories: Vec::new(),
        },
    }
}

#[test]
fn entities_are_counted_over_all_spaces_and_go_when_nothing_is_left_of_them() {
    let directory = Fixture::new();
    let (ann, bob) = (user("ann/1"), user("bob"));
    let (u, a) = (OwnerKind::User, OwnerKind::Agent);
    directory.report(&ann, &[(u, "ann/1", 2), (a, "tutor", 1)], vec![]);
    directory.report(&bob, &[(u, "bob", 2), (a, "tutor", 2)], vec![]);
    let all = |names: &[(&str, usize)]| -> Vec<(String, usize)> {
        names
            .iter()
            .map(|(name, n)| ((*name).to_owned(), *n))
            .collect()
    };
    assert_eq!(
        directory.entities(),
        all(&[("ann/1", 2), ("bob", 2), ("tutor", 3)])
    );
    let under = Some((a, "tutor".to_owned()));
    let asked = Ask::Spaces {
        kinds: vec![u],
        under,
        limit: 10,
    };
    let Answer::Spaces { spaces, more } = directory.ask(asked) else {
        panic!()
    };
    assert_eq!((spaces.len(), more), (2, false));
    directory.report(&bob, &[(u, "bob", 1)], vec![]);
    assert_eq!(
        directory.entities(),
        all(&[("ann/1", 2), ("bob", 1), ("tutor", 1)])
    );
    let number = Entity::number_of(u, "ann/1");
    let Answer::Entities(found) = directory.ask(Ask::Numbered { kind: u, number }) else {
        panic!()
    };
    assert_eq!(found.items[0].id, "ann/1");
}

#[test]
fn what_comes_twice_is_told_once() {
    let directory = Fixture::new();
    directory.hook();
    let ann = user("ann");
    let told = vec![notice(&ann, 2, ChangeKind::Add, "I row")];
    directory.report(&ann, &[], told.clone());
    directory.report(&ann, &[], told);
    let (due, _) = directory.due(0);
    assert_eq!(due.len(), 1);
    assert_eq!(
        due[0].body,
        json!({"event_details": {"id": id(&ann, 1), "data": {"memory": "I row"}, "event": "ADD",
                                 "user_id": "ann"}})
    );
    assert_eq!(due[0].url, "https://example.com/h");
}

#[test]
fn a_webhook_is_told_of_what_happens_from_its_creation_on() {
    let directory = Fixture::new();
    let ann = user("ann");
    let fields =
        json!({"name": "n", "url": "https://example.com/h", "event_types": ["memory_add"]});
    let asked = Ask::AddWebhook {
        fields: map(fields),
    };
    directory.at(500, asked).unwrap();
    // A space reports a moment later: this was added before, and that after the webhook was made.
    let after = Notice {
        at: Moment::from_millis(T0 + 600),
        ..notice(&ann, 3, ChangeKind::Add, "I have a cat")
    };
    let before = notice(&ann, 2, ChangeKind::Add, "I have a dog");
    directory.report(&ann, &[(OwnerKind::User, "ann", 2)], vec![before, after]);
    let (due, _) = directory.due(1_000);
    assert_eq!(due.len(), 1);
    assert_eq!(
        due[0].body.pointer("/event_details/data/memory"),
        Some(&json!("I have a cat"))
    );
}

#[test]
fn a_delivery_that_fails_comes_again_later_and_is_given_up_at_last() {
    let directory = Fixture::new();
    directory.hook();
    let ann = user("ann");
    directory.report(&ann, &[], vec![notice(&ann, 2, ChangeKind::Add, "I row")]);
    let mut later = 0;
    let mut tries = 0;
    loop {
        let (due, next) = directory.due(later);
        let Some(delivery) = due.first() else {
            match next {
                Some(at) => later = at.as_millis() - T0,
                None => break,
            }
            continue;
        };
        tries += 1;
        let id = delivery.id.clone();
        let delivered = false;
        directory
            .at(later, Ask::Delivered { id, delivered })
            .unwrap();
    }
    assert_eq!(tries, 8);
    assert!(later > 6 * 3_600_000);
}

#[test]
fn the_words_of_what_was_erased_are_not_sent_any_more() {
    let directory = Fixture::new();
    directory.hook();
    let ann = user("ann");
    directory.report(
        &ann,
        &[],
        vec![notice(&ann, 2, ChangeKind::Add, "code 4711")],
    );
    directory.report(&ann, &[], vec![notice(&ann, 3, ChangeKind::Delete, "")]);
    let (due, _) = directory.due(0);
    assert_eq!(due.len(), 2);
    assert!(!format!("{due:?}").contains("4711"));
}

#[test]
fn a_webhook_leads_outside_and_over_https_only() {
    let directory = Fixture::new();
    for (url, is_good) in [
        ("https://example.com/h", true),
        ("https://93.184.216.34/", true),
        ("http://example.com/", false),
        ("example.com", false),
        ("u", false),
        ("https://localhost/", false),
        ("https://printer.local/", false),
        ("https://intranet/", false),
        ("https://127.0.0.1/", false),
        ("https://10.1.2.3/", false),
        ("https://169.254.169.254/latest", false),
        ("https://100.64.0.1/", false),
        ("https://[::1]/", false),
        ("https://[fd00::1]/", false),
        ("https://[::ffff:10.0.0.1]/", false),
        ("https://2130706433/", false),
        ("https://0x7f.1/", false),
        ("https://example.com@127.0.0.1/", false),
    ] {
        let fields = json!({"name": "n", "url": url, "event_types": ["memory_add"]});
        let added = directory.at(
            0,
            Ask::AddWebhook {
                fields: map(fields),
            },
        );
        assert_eq!(added.is_ok(), is_good, "{url}");
    }
}

#[test]
fn a_signature_is_an_hmac_of_time_and_body() {
    // Computed by `printf '1767225600.{}' | openssl dgst -sha256 -hmac whsec_test`.
    let signed = signature("whsec_test", Moment::from_millis(T0 + 999), b"{}");
    let (time, code) = signed.split_once(',').unwrap();
    assert_eq!(time, "t=1767225600");
    assert_eq!(
        code,
        "v1=4a942ef9477fb7b15b98664cf7ff2c2543984c1fa6bdf3520b48dcb25bcd1fe4"
    );
}

#[test]
fn settings_of_a_project_reach_extraction_in_every_form_of_the_contract() {
    let directory = Fixture::new();
    let fields = json!({"custom_instructions": ["Only food.", "No names."],
                        "custom_categories": [{"tea": "drinks"}], "project_id": "stolen"});
    directory.ask(Ask::SetProject {
        fields: map(fields),
    });
    let Answer::Settings(settings) = directory.ask(Ask::Settings) else {
        panic!()
    };
    assert_eq!(
        settings.instructions.as_deref(),
        Some("Only food.\nNo names.")
    );
    assert_eq!(settings.categories[0].name, "tea");
    let Answer::Value(project) = directory.ask(Ask::Project) else {
        panic!()
    };
    assert_eq!(project.get("project_id"), None);
    for bad in [
        json!({"custom_categories": 3}),
        json!({"custom_instructions": {}}),
    ] {
        assert!(
            directory
                .at(0, Ask::SetProject { fields: map(bad) })
                .is_err()
        );
    }
}
