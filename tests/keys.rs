//! Keys that a project's directory keeps.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::cell::Cell;

use edgemem::directory::{Answer, ApiKey, Ask, Directory, DirectoryError, KeyRole, Now, key_hash};
use edgemem::memory::Moment;
use edgemem::store::{MemoryStorage, Storage, Table};
use futures_executor::block_on;
use std::ops::Bound;

const T0: i64 = 1_800_000_000_000;
const HOUR: i64 = 3_600_000;

struct Fixture {
    directory: Directory<MemoryStorage>,
    random: Cell<u8>,
}

impl Fixture {
    fn new() -> Self {
        Self {
            directory: Directory::new(MemoryStorage::new(), false),
            random: Cell::new(0),
        }
    }

    fn at(&self, later: i64, ask: Ask) -> Result<Answer, DirectoryError> {
        self.random.set(self.random.get() + 1);
        let now = Now {
            at: Moment::from_millis(T0 + later),
            random: [self.random.get(); 32],
        };
        block_on(self.directory.apply(ask, now))
    }

    fn make(&self, name: &str, role: KeyRole) -> (ApiKey, String) {
        let ask = Ask::MakeKey {
            project: "team_a".into(),
            name: name.into(),
            role,
            expires_at: None,
        };
        match self.at(0, ask).unwrap() {
            Answer::KeyMade { key, secret } => (key, secret),
            other => panic!("{other:?}"),
        }
    }

    fn check(&self, later: i64, secret: &str) -> Option<ApiKey> {
        let sha256 = key_hash(secret);
        match self.at(later, Ask::CheckKey { sha256 }).unwrap() {
            Answer::Keys(found) => found.into_iter().next(),
            other => panic!("{other:?}"),
        }
    }

    fn listed(&self) -> Vec<ApiKey> {
        match self.at(0, Ask::Keys).unwrap() {
            Answer::Keys(keys) => keys,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_key_opens_until_it_is_revoked() {
    let fixture = Fixture::new();
    let (reader, secret) = fixture.make(" Dashboard ", KeyRole::Read);
    let (writer, other) = fixture.make("Bot", KeyRole::Write);
    assert!(secret.starts_with("em_team_a_") && secret.len() == "em_team_a_".len() + 64);
    assert_eq!(reader.name, "Dashboard");
    assert_eq!(fixture.check(0, &secret).unwrap().id, reader.id);
    assert_eq!(fixture.check(0, &other).unwrap().role, KeyRole::Write);
    assert_eq!(fixture.check(0, &secret[..secret.len() - 1]), None);
    let id = reader.id.clone();
    fixture.at(0, Ask::RevokeKey { id }).unwrap();
    assert_eq!(fixture.check(0, &secret), None);
    let ids: Vec<String> = fixture.listed().into_iter().map(|key| key.id).collect();
    assert_eq!(ids, [writer.id]);
    let again = fixture.at(0, Ask::RevokeKey { id: reader.id });
    assert_eq!(again, Err(DirectoryError::NoSuchKey));
}

#[test]
fn the_last_use_is_known_to_the_hour() {
    let fixture = Fixture::new();
    let (_, secret) = fixture.make("Bot", KeyRole::Read);
    let used = || fixture.listed()[0].last_used_at.map(Moment::as_millis);
    assert_eq!(used(), None);
    for (later, noted) in [(5, 5), (HOUR, 5), (HOUR + 5, HOUR + 5)] {
        fixture.check(later, &secret);
        assert_eq!(used(), Some(T0 + noted));
    }
}

#[test]
fn no_key_can_be_made_of_what_is_stored() {
    let fixture = Fixture::new();
    let (_, secret) = fixture.make("Bot", KeyRole::Admin);
    let random = secret.rsplit('_').next().unwrap();
    let storage = fixture.directory.storage();
    let rows = storage.scan(Table::Directory, Bound::Unbounded, 100);
    for (key, record) in block_on(rows).unwrap() {
        let record = String::from_utf8_lossy(&record).into_owned();
        assert!(
            !key.contains(random) && !record.contains(random),
            "{record}"
        );
        assert!(record.contains(&key_hash(&secret)));
    }
}

#[test]
fn a_key_without_a_name_is_none() {
    let fixture = Fixture::new();
    for name in [" ", &"x".repeat(101)] {
        let made = fixture.at(
            0,
            Ask::MakeKey {
                project: "p".into(),
                name: name.into(),
                role: KeyRole::Read,
                expires_at: None,
            },
        );
        assert!(matches!(made, Err(DirectoryError::Bad(_))), "{made:?}");
    }
}

#[test]
fn the_secret_of_tokens_is_made_once() {
    let fixture = Fixture::new();
    let secret = fixture.at(0, Ask::TokenSecret).unwrap();
    assert_eq!(fixture.at(1, Ask::TokenSecret).unwrap(), secret);
    let Answer::Secret(text) = &secret else {
        panic!("{secret:?}")
    };
    assert_eq!(text.len(), 64);
    fixture.at(2, Ask::Clear).unwrap();
    assert_ne!(fixture.at(3, Ask::TokenSecret).unwrap(), secret);
}
