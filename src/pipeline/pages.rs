//! Cards and indexes as pages that load quickly. How pages are framed is [`crate::store::pages`]'s.

use std::collections::HashMap;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::knowledge::Knowledge;
use super::recall::RecallIndex;
use crate::index::{KeywordPage, Slot};
use crate::memory::{Card, EntityId, Id, Kind, Moment, Traits};
use crate::store::pages::{PageError, damaged, decode, encode, seal, unseal};

/// Slots, and at most about so many cards, on a page: 128 vectors of 4,096 dimensions take half a megabyte.
pub const SLOTS: usize = 128;

/// Sequence numbers on a page of cards. An add uses three or four.
const SEQUENCES: u32 = 512;

/// The page of cards that a memory is on.
pub fn page_of_card(id: &Id) -> u32 {
    id.sequence() / SEQUENCES
}

/// The page that a slot is on.
pub fn page_of_slot(slot: Slot) -> u32 {
    slot / SLOTS as u32
}

/// The slots on a page.
pub fn slots_on(page: u32) -> impl Iterator<Item = Slot> {
    (page * SLOTS as u32..).take(SLOTS)
}

#[derive(Serialize, Deserialize)]
struct Cards {
    /// [`Traits`] as JSON.
    traits: Vec<String>,
    entities: Vec<String>,
    cards: Vec<SavedCard>,
}

#[derive(Serialize, Deserialize)]
struct SavedCard {
    id: u128,
    /// Kind, transcript, current, standing, immutable: a bit each, from the lowest.
    flags: u8,
    traits: u32,
    created_at: i64,
    updated_at: i64,
    expires_at: Option<i64>,
    sources: Vec<u128>,
    earlier_sources: Vec<u128>,
    entities: Vec<u32>,
    says: u64,
    text: u64,
}

/// The cards of one page; `None` when there is none.
pub fn save_cards(knowledge: &Knowledge, page: u32) -> Option<Vec<u8>> {
    let mut traits = Table::default();
    let mut entities = Table::default();
    let cards = knowledge.cards_of_sequences(page * SEQUENCES, SEQUENCES);
    let cards: Vec<SavedCard> = cards
        .map(|card| SavedCard {
            id: card.id.to_bits(),
            flags: [
                card.kind == Kind::Message,
                card.transcript,
                card.current,
                card.standing,
                card.immutable,
            ]
            .iter()
            .rev()
            .fold(0, |flags, flag| flags << 1 | u8::from(*flag)),
            traits: traits.place(serde_json::to_string(&*card.traits).unwrap_or_default()),
            created_at: card.created_at.as_millis(),
            updated_at: card.updated_at.as_millis(),
            expires_at: card.expires_at.map(Moment::as_millis),
            sources: card.sources.iter().map(|id| id.to_bits()).collect(),
            earlier_sources: card.earlier_sources.iter().map(|id| id.to_bits()).collect(),
            entities: card
                .entities
                .iter()
                .map(|id| entities.place(id.0.clone()))
                .collect(),
            says: card.says,
            text: card.text,
        })
        .collect();
    (!cards.is_empty()).then(|| {
        encode(&Cards {
            traits: traits.values,
            entities: entities.values,
            cards,
        })
    })
}

/// Takes in a page of cards.
///
/// # Errors
/// When it is damaged or of another version.
pub fn load_cards(knowledge: &mut Knowledge, key: &str, page: &[u8]) -> Result<(), PageError> {
    let saved: Cards = decode(key, page)?;
    let traits = saved.traits.iter().map(|json| {
        let traits: Traits = serde_json::from_str(json).map_err(|_| damaged(key))?;
        Ok(knowledge.intern(traits))
    });
    let traits: Vec<Rc<Traits>> = traits.collect::<Result<_, PageError>>()?;
    let ids = |bits: Vec<u128>| bits.into_iter().map(Id::from_bits).collect();
    for card in saved.cards {
        let flag = |bit: u8| card.flags >> bit & 1 == 1;
        let mentioned = card.entities.iter();
        let entities = mentioned.filter_map(|place| saved.entities.get(*place as usize));
        knowledge.put(Card {
            id: Id::from_bits(card.id),
            kind: match flag(0) {
                true => Kind::Message,
                false => Kind::Fact,
            },
            transcript: flag(1),
            current: flag(2),
            standing: flag(3),
            immutable: flag(4),
            traits: traits
                .get(card.traits as usize)
                .cloned()
                .ok_or_else(|| damaged(key))?,
            created_at: Moment::from_millis(card.created_at),
            updated_at: Moment::from_millis(card.updated_at),
            expires_at: card.expires_at.map(Moment::from_millis),
            entities: entities.cloned().map(EntityId).collect(),
            sources: ids(card.sources),
            earlier_sources: ids(card.earlier_sources),
            says: card.says,
            text: card.text,
        });
    }
    Ok(())
}

#[derive(Serialize, Deserialize)]
struct Words<'a> {
    /// The memory and the place of its passage, of each slot.
    slots: Vec<Option<(u128, u16)>>,
    #[serde(borrow)]
    keywords: KeywordPage<'a>,
}

/// The slots of one page with their words; `None` when all are empty.
pub fn save_words(index: &RecallIndex, page: u32) -> Option<Vec<u8>> {
    let first = page * SLOTS as u32;
    let slots = slots_on(page).map(|slot| {
        let (id, place) = index.slots.key(slot)?;
        Some((id.to_bits(), place))
    });
    let slots: Vec<_> = slots.collect();
    slots.iter().any(Option::is_some).then(|| {
        encode(&Words {
            slots,
            keywords: index.keywords.page(first, SLOTS),
        })
    })
}

/// Takes in a page of words. The cards must be there.
///
/// # Errors
/// When it is damaged, of another version, or names a memory that has no card.
pub fn load_words(
    index: &mut RecallIndex,
    knowledge: &Knowledge,
    page: u32,
    key: &str,
    bytes: &[u8],
) -> Result<(), PageError> {
    let words: Words<'_> = decode(key, bytes)?;
    let first = page * SLOTS as u32;
    for (slot, saved) in slots_on(page).zip(&words.slots) {
        let Some((id, place)) = saved else { continue };
        let id = Id::from_bits(*id);
        let card = knowledge.card(&id).ok_or_else(|| damaged(key))?;
        index.slots.restore(slot, (id, *place));
        index.selections.put(slot, card, |_| false);
    }
    index.keywords.restore(first, &words.keywords);
    Ok(())
}

/// The vectors of one page; `None` when there is none.
pub fn save_vectors(index: &RecallIndex, page: u32) -> Option<Vec<u8>> {
    let body = index.vectors.page(page * SLOTS as u32, SLOTS);
    (!body.is_empty()).then(|| seal(&body))
}

/// Takes in a page of vectors.
///
/// # Errors
/// When it is damaged or of another version.
pub fn load_vectors(
    index: &mut RecallIndex,
    page: u32,
    key: &str,
    bytes: &[u8],
) -> Result<(), PageError> {
    let body = unseal(key, bytes)?;
    let restored = index.vectors.restore(page * SLOTS as u32, body);
    restored.map_err(|_| damaged(key))
}

/// Values by their place, each once.
#[derive(Default)]
struct Table {
    values: Vec<String>,
    places: HashMap<String, u32>,
}

impl Table {
    fn place(&mut self, value: String) -> u32 {
        if let Some(place) = self.places.get(&value) {
            return *place;
        }
        let place = self.values.len() as u32;
        self.values.push(value.clone());
        self.places.insert(value, place);
        place
    }
}
