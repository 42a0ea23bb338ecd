//! Cards in a few dozen bytes each, with the look-ups that go from a message, a text or an entity to its memories.

use std::rc::Rc;

use hashbrown::HashTable;
use rustc_hash::FxHashMap;

use super::rows::{Pages, Rare, Row};
use super::sketch::{CURRENT, Sketch, TRANSCRIPT, flags_of, set_flags};
use super::traits::TraitsTable;
use crate::compact::OrderedSet;
use crate::memory::{Card, EntityId, Id, Kind, Moment, Scope, SpaceHash, Traits, says};

/// The cards of one space, by the sequence numbers of their ids.
#[derive(Debug, Default)]
pub struct Cards {
    space: Option<SpaceHash>,
    pages: Pages,
    count: usize,
    traits: TraitsTable,
    /// Current listed memories by what they say, as sequence numbers.
    said: HashTable<u32>,
    /// Messages of each conversation, oldest first.
    conversations: FxHashMap<Scope, Vec<u32>>,
    /// Messages, and the facts that came from them.
    derived: OrderedSet<(u32, u32)>,
    /// Entities, and the memories that mention them.
    mentions: FxHashMap<EntityId, OrderedSet<u32>>,
    /// Bytes of what only some rows have.
    rare_bytes: usize,
}

/// Memories that have their traits in common.
#[derive(Debug, Clone, Copy)]
pub struct Listed {
    /// How many.
    pub count: usize,
    /// When the first was made.
    pub created_at: Moment,
    /// When one changed last.
    pub updated_at: Moment,
}

impl Cards {
    /// One memory without its words.
    pub fn card(&self, id: &Id) -> Option<Card> {
        self.read(self.row_of(id)?)
    }

    /// What a memory has in common with others.
    pub fn traits(&self, id: &Id) -> Option<&Rc<Traits>> {
        let row = self.row_of(id)?;
        self.traits.get(row.traits)
    }

    /// Whether a memory is known.
    pub fn contains(&self, id: &Id) -> bool {
        self.row_of(id).is_some()
    }

    /// The id with a sequence number.
    pub fn id(&self, sequence: u32) -> Option<Id> {
        Some(Id::in_space(self.space?, self.row(sequence)?.local))
    }

    /// The card whose id has a sequence number.
    pub fn card_of_sequence(&self, sequence: u32) -> Option<Card> {
        self.read(self.row(sequence)?)
    }

    /// The same, as it lies here.
    pub(in crate::pipeline) fn sketch(&self, sequence: u32) -> Option<Sketch<'_>> {
        let row = self.row(sequence)?;
        Some(Sketch {
            id: Id::in_space(self.space?, row.local),
            space: self.space?,
            traits: self.traits.get(row.traits)?,
            row,
        })
    }

    /// The memories said from one moment on and before another, oldest first. They are looked for among all: ten
    /// microseconds for ten thousand.
    pub fn said_between(&self, from: Moment, until: Moment) -> impl Iterator<Item = Id> {
        let rows = self.pages.rows();
        let said = rows.filter(move |row| from <= row.created_at && row.created_at < until);
        said.filter_map(|row| Some(Id::in_space(self.space?, row.local)))
    }

    /// The current, listed memories by what they have in common. Looks at every row, makes no cards.
    pub fn listed(&self) -> impl Iterator<Item = (&Rc<Traits>, Listed)> {
        let mut listed: FxHashMap<u32, Listed> = FxHashMap::default();
        let is_listed = |row: &&Row| row.flags & (CURRENT | TRANSCRIPT) == CURRENT;
        for row in self.pages.rows().filter(is_listed) {
            let of = listed.entry(row.traits).or_insert(Listed {
                count: 0,
                created_at: row.created_at,
                updated_at: row.updated_at,
            });
            of.count += 1;
            of.created_at = of.created_at.min(row.created_at);
            of.updated_at = of.updated_at.max(row.updated_at);
        }
        let listed = listed.into_iter();
        listed.filter_map(|(traits, of)| Some((self.traits.get(traits)?, of)))
    }

    /// The current memories, oldest first. Makes no cards.
    pub fn current(&self) -> impl Iterator<Item = Id> {
        let current = self.pages.rows().filter(|row| row.flags & CURRENT != 0);
        current.filter_map(|row| Some(Id::in_space(self.space?, row.local)))
    }

    /// How many current memories are listed, and how many are not. Makes no cards.
    pub fn count_current(&self) -> (usize, usize) {
        let mut counts = (0, 0);
        for row in self.pages.rows() {
            match row.flags & (CURRENT | TRANSCRIPT) {
                CURRENT => counts.0 += 1,
                flags if flags & CURRENT != 0 => counts.1 += 1,
                _ => {}
            }
        }
        counts
    }

    /// The memories that expire, with when. Makes no cards.
    pub fn expiring(&self) -> impl Iterator<Item = (Moment, Id)> {
        self.pages.rows().filter_map(|row| {
            let at = row.rare.as_deref()?.expires_at?;
            Some((at, Id::in_space(self.space?, row.local)))
        })
    }

    /// How many memories are known.
    pub fn count(&self) -> usize {
        self.count
    }

    /// All memories without their words, oldest first.
    pub fn cards(&self) -> impl DoubleEndedIterator<Item = Card> {
        let rows = self.pages.rows();
        rows.filter_map(|row| self.read(row))
    }

    /// The memories of one page, oldest first.
    pub fn cards_on(&self, page: u32) -> impl Iterator<Item = Card> {
        let rows = self.pages.rows_on(page).iter();
        rows.filter_map(|row| self.read(row))
    }

    /// The pages that hold any card, ascending.
    pub fn card_pages(&self) -> impl Iterator<Item = u32> {
        self.pages.filled()
    }

    /// Bytes in memory, about.
    pub(super) fn bytes(&self) -> usize {
        let conversations = self.conversations.iter();
        let conversations: usize = conversations
            .map(|(_, ids)| size_of::<(Scope, Vec<u32>)>() * 2 + ids.capacity() * size_of::<u32>())
            .sum();
        // A B-tree is filled to about two thirds.
        let mentions: usize = self.mentions.values().map(OrderedSet::len).sum();
        let links = self.derived.len() * size_of::<(u32, u32)>() + mentions * size_of::<u32>();
        self.pages.bytes()
            + self.said.capacity() * (size_of::<u32>() + 1) * 8 / 7
            + conversations
            + links * 3 / 2
            + self.mentions.len() * 2 * size_of::<(EntityId, OrderedSet<u32>)>()
            + self.traits.bytes()
            + self.rare_bytes
    }

    /// The current, listed memories that say exactly this, oldest first.
    pub fn duplicates_of(&self, text: &str) -> impl Iterator<Item = Id> {
        let says = says(text);
        let same = self.said.iter_hash(says).copied();
        let mut same: Vec<u32> = same
            .filter(|sequence| self.row(*sequence).is_some_and(|row| row.says == says))
            .collect();
        same.sort_unstable();
        same.into_iter().filter_map(|sequence| self.id(sequence))
    }

    /// The messages of a conversation, oldest first.
    pub fn conversation(&self, scope: &Scope) -> impl DoubleEndedIterator<Item = Id> {
        let sequences = self.conversations.get(scope);
        let sequences = sequences.into_iter().flatten();
        sequences.filter_map(|sequence| self.id(*sequence))
    }

    /// The messages before one in its conversation, the nearest first.
    pub fn predecessors(&self, scope: &Scope, message: &Id) -> impl Iterator<Item = Id> {
        let (before, _) = self.around(scope, message);
        before.iter().rev().filter_map(|before| self.id(*before))
    }

    /// The messages after one in its conversation, the nearest first.
    pub fn successors(&self, scope: &Scope, message: &Id) -> impl Iterator<Item = Id> {
        let (_, after) = self.around(scope, message);
        after.iter().filter_map(|after| self.id(*after))
    }

    fn around(&self, scope: &Scope, message: &Id) -> (&[u32], &[u32]) {
        let all = self.conversations.get(scope);
        let all = all.map(Vec::as_slice).unwrap_or_default();
        let sequence = message.sequence();
        let before = all.partition_point(|other| *other < sequence);
        let after = all.partition_point(|other| *other <= sequence);
        let slice = |range: std::ops::Range<usize>| all.get(range).unwrap_or_default();
        (slice(0..before), slice(after..all.len()))
    }

    /// The sequence numbers of the facts that came from a message.
    fn derived_from(&self, message: u32) -> impl Iterator<Item = u32> {
        let derived = self.derived.starting_at(&(message, 0));
        let facts = derived.take_while(move |(source, _)| *source == message);
        facts.map(|(_, fact)| *fact)
    }

    /// The facts that came from a message, oldest first.
    pub fn facts_of(&self, message: &Id) -> impl Iterator<Item = Card> {
        let facts = self.derived_from(message.sequence());
        facts.filter_map(|fact| self.card_of_sequence(fact))
    }

    /// The sequence numbers of the facts that came from a message, oldest first, each with whether it stands: it is
    /// current, and so it is its newest version that came from there.
    pub fn stands_from(&self, message: &Id) -> impl Iterator<Item = (u32, bool)> {
        let (source, local) = (message.sequence(), message.local());
        self.derived_from(source).filter_map(move |fact| {
            let row = self.row(fact)?;
            let sources = row.rare.as_ref().map(|rare| &rare.sources);
            let is_newest = sources.is_some_and(|sources| sources.contains(&local));
            Some((fact, is_newest && row.flags & CURRENT != 0))
        })
    }

    /// The memories that mention an entity, oldest first.
    pub fn mentions(&self, entity: &EntityId) -> impl Iterator<Item = Id> {
        let sequences = self.mentions_of(entity);
        sequences.filter_map(|sequence| self.id(*sequence))
    }

    /// The sequence numbers of the memories that mention an entity, oldest first.
    pub fn mentions_of(&self, entity: &EntityId) -> impl Iterator<Item = &u32> {
        self.mentions.get(entity).into_iter().flatten()
    }

    /// How many memories mention an entity.
    pub fn count_mentions(&self, entity: &EntityId) -> usize {
        self.mentions.get(entity).map_or(0, OrderedSet::len)
    }

    /// Those of some memories that mention an entity, by their sequence numbers, in their order.
    pub fn mentioning<'a>(
        &'a self,
        entity: &EntityId,
        memories: impl Iterator<Item = u32> + 'a,
    ) -> impl Iterator<Item = u32> + 'a {
        let mentioning = self.mentions.get(entity);
        memories.filter(move |memory| mentioning.is_some_and(|it| it.contains(memory)))
    }

    /// The one copy of traits.
    pub fn intern(&mut self, traits: Traits) -> Rc<Traits> {
        self.traits.intern(traits)
    }

    /// Takes in a card in place of the one of the same id.
    pub fn put(&mut self, card: &Card) {
        if self.count == 0 {
            self.space = Some(card.id.space());
        }
        if self.contains(&card.id) {
            self.remove(&card.id);
        }
        self.link(card);
        let row = Row {
            local: card.id.local(),
            says: card.says,
            text: card.text,
            created_at: card.created_at,
            updated_at: card.updated_at,
            traits: self.traits.hold(&card.traits),
            flags: flags_of(card),
            tells: card.tells,
            times: card.times.clone(),
            rare: Rare::of(card),
        };
        self.rare_bytes += row.rare_bytes();
        let sequence = row.sequence();
        self.pages.insert(row);
        self.count += 1;
        if card.is_listed() && card.current {
            let hash = |sequence: &u32| self.pages.row(*sequence).map_or(0, |row| row.says);
            self.said.insert_unique(card.says, sequence, hash);
        }
    }

    /// Takes out a card.
    pub fn remove(&mut self, id: &Id) {
        let Some(card) = self.card(id) else { return };
        self.unlink(&card);
        let sequence = id.sequence();
        if let Some(row) = self.pages.remove(sequence) {
            self.traits.release(row.traits);
            self.rare_bytes -= row.rare_bytes();
            self.count -= 1;
        }
    }

    fn row(&self, sequence: u32) -> Option<&Row> {
        self.pages.row(sequence)
    }

    fn row_of(&self, id: &Id) -> Option<&Row> {
        let row = self.row(id.sequence())?;
        (self.space == Some(id.space()) && row.local == id.local()).then_some(row)
    }

    fn read(&self, row: &Row) -> Option<Card> {
        let space = self.space?;
        let rare = row.rare.as_deref();
        let ids = |locals: &[u64]| -> Box<[Id]> {
            let ids = locals.iter().map(|local| Id::in_space(space, *local));
            ids.collect()
        };
        let mut card = Card {
            id: Id::in_space(space, row.local),
            kind: Kind::Fact,
            transcript: false,
            current: false,
            standing: false,
            immutable: false,
            feedback: None,
            tells: row.tells,
            times: row.times.clone(),
            traits: self.traits.get(row.traits)?.clone(),
            created_at: row.created_at,
            updated_at: row.updated_at,
            expires_at: rare.and_then(|rare| rare.expires_at),
            sources: rare.map(|rare| ids(&rare.sources)).unwrap_or_default(),
            earlier_sources: rare
                .map(|rare| ids(&rare.earlier_sources))
                .unwrap_or_default(),
            entities: rare.map(|rare| rare.entities.clone()).unwrap_or_default(),
            says: row.says,
            text: row.text,
        };
        set_flags(&mut card, row.flags);
        Some(card)
    }

    fn link(&mut self, card: &Card) {
        let sequence = card.id.sequence();
        if card.kind == Kind::Message {
            let scope = &card.traits.scope;
            match self.conversations.get_mut(scope) {
                // As most come.
                Some(messages) if messages.last().is_some_and(|last| *last < sequence) => {
                    messages.push(sequence);
                }
                Some(messages) => {
                    if let Err(at) = messages.binary_search(&sequence) {
                        messages.insert(at, sequence);
                    }
                }
                None => drop(self.conversations.insert(scope.clone(), vec![sequence])),
            }
        }
        for source in card.all_sources() {
            self.derived.insert((source.sequence(), sequence));
        }
        for entity in card.entities.iter() {
            let memories = self.mentions.entry(entity.clone());
            memories.or_default().insert(sequence);
        }
    }

    fn unlink(&mut self, card: &Card) {
        let sequence = card.id.sequence();
        let said = self.said.find_entry(card.says, |said| *said == sequence);
        if let Ok(said) = said {
            said.remove();
        }
        for source in card.all_sources() {
            self.derived.remove(&(source.sequence(), sequence));
        }
        for entity in card.entities.iter() {
            if let Some(memories) = self.mentions.get_mut(entity) {
                memories.remove(&sequence);
                if memories.is_empty() {
                    self.mentions.remove(entity);
                }
            }
        }
        let scope = &card.traits.scope;
        if let Some(messages) = self.conversations.get_mut(scope) {
            if let Ok(at) = messages.binary_search(&sequence) {
                messages.remove(at);
            }
            if messages.is_empty() {
                self.conversations.remove(scope);
            }
        }
    }
}

#[cfg(test)]
mod tests;
