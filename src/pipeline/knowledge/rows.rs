//! What is resident of each memory, found by its sequence number.

use std::rc::Rc;

use crate::memory::{About, Card, EntityId, Id, Moment, Times};

/// Sequence numbers on a page of cards. An add uses three or four.
pub const SEQUENCES: u32 = 512;

/// What an allocation costs beside its bytes.
pub(super) const ALLOCATION: usize = 8;

const BITS: u32 = u64::BITS;

/// A [`Card`] without what its space or its [`Traits`] say already.
#[derive(Debug)]
pub(super) struct Row {
    pub local: u64,
    pub says: u64,
    pub text: u64,
    pub created_at: Moment,
    pub updated_at: Moment,
    pub traits: u32,
    pub flags: u8,
    pub tells: u8,
    pub times: Option<Rc<Times>>,
    pub rare: Option<Box<Rare>>,
}

/// What most messages do not have.
#[derive(Debug)]
pub(super) struct Rare {
    pub expires_at: Option<Moment>,
    pub sources: Box<[u64]>,
    pub earlier_sources: Box<[u64]>,
    pub entities: Rc<[EntityId]>,
}

impl Row {
    pub fn sequence(&self) -> u32 {
        Id::sequence_of(self.local)
    }

    /// Bytes of what only some rows have.
    pub fn rare_bytes(&self) -> usize {
        let times = self.times.as_ref().map_or(0, |times| {
            size_of::<Times>() + times.about.len() * size_of::<About>() + 4 * ALLOCATION
        });
        times + self.rare.as_ref().map_or(0, |rare| rare.bytes())
    }
}

impl Rare {
    pub fn of(card: &Card) -> Option<Box<Self>> {
        let is_rare = card.expires_at.is_some()
            || !card.sources.is_empty()
            || !card.earlier_sources.is_empty()
            || !card.entities.is_empty();
        let locals = |ids: &[Id]| ids.iter().map(Id::local).collect();
        is_rare.then(|| {
            Box::new(Self {
                expires_at: card.expires_at,
                sources: locals(&card.sources),
                earlier_sources: locals(&card.earlier_sources),
                entities: card.entities.clone(),
            })
        })
    }

    pub fn bytes(&self) -> usize {
        let ids = self.sources.len() + self.earlier_sources.len();
        let names = self.entities.iter();
        let names: usize = names
            .map(|id| size_of::<EntityId>() + id.0.len() + ALLOCATION)
            .sum();
        size_of::<Self>() + ids * size_of::<u64>() + names + 4 * ALLOCATION
    }
}

/// Rows in the order of their sequence numbers, [`SEQUENCES`] of these to a page.
#[derive(Debug, Default)]
pub(super) struct Pages(Vec<Page>);

/// The rows of one page, and a bit for each sequence number that has one: a row stands after as many rows as there are
/// bits before its own.
#[derive(Debug, Default)]
struct Page {
    taken: [u64; (SEQUENCES / BITS) as usize],
    rows: Vec<Row>,
}

impl Page {
    /// Where the row of a sequence number is or would be, and whether it is there.
    fn place(&self, sequence: u32) -> (usize, bool) {
        let at = sequence % SEQUENCES;
        let (word, bit) = ((at / BITS) as usize, 1u64 << (at % BITS));
        let before = self.taken.iter().take(word).map(|word| word.count_ones());
        let word = self.taken.get(word).copied().unwrap_or_default();
        let place = before.sum::<u32>() + (word & (bit - 1)).count_ones();
        (place as usize, word & bit != 0)
    }

    /// The row of a sequence number, if it has one.
    fn row(&self, sequence: u32) -> Option<&Row> {
        let at = sequence % SEQUENCES;
        let word = self.taken.get((at / BITS) as usize)?;
        // Most that are looked for and not there are new.
        let is_there = word >> (at % BITS) & 1 == 1;
        is_there
            .then(|| self.place(sequence).0)
            .and_then(|place| self.rows.get(place))
    }

    fn flip(&mut self, sequence: u32) {
        let at = sequence % SEQUENCES;
        if let Some(word) = self.taken.get_mut((at / BITS) as usize) {
            *word ^= 1 << (at % BITS);
        }
    }
}

impl Pages {
    /// The row of a sequence number.
    pub fn row(&self, sequence: u32) -> Option<&Row> {
        self.0.get((sequence / SEQUENCES) as usize)?.row(sequence)
    }

    /// Takes in a row whose sequence number has none.
    pub fn insert(&mut self, row: Row) {
        let sequence = row.sequence();
        let page = (sequence / SEQUENCES) as usize;
        if self.0.len() <= page {
            if let Some(last) = self.0.last_mut() {
                last.rows.shrink_to_fit();
            }
            self.0.resize_with(page + 1, Page::default);
        }
        let Some(page) = self.0.get_mut(page) else {
            return;
        };
        let comes_last = page
            .rows
            .last()
            .is_none_or(|last| last.sequence() < sequence);
        let place = match comes_last {
            true => (page.rows.len(), false),
            false => page.place(sequence),
        };
        if let (place, false) = place {
            page.rows.insert(place, row);
            page.flip(sequence);
        }
    }

    /// Takes out the row of a sequence number.
    pub fn remove(&mut self, sequence: u32) -> Option<Row> {
        let page = self.0.get_mut((sequence / SEQUENCES) as usize)?;
        let (place, is_there) = page.place(sequence);
        is_there.then(|| {
            page.flip(sequence);
            page.rows.remove(place)
        })
    }

    /// All rows, in their order.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = &Row> {
        self.0.iter().flat_map(|page| &page.rows)
    }

    /// The rows of one page, in their order.
    pub fn rows_on(&self, page: u32) -> &[Row] {
        let page = self.0.get(page as usize);
        page.map_or(&[], |page| &page.rows)
    }

    /// The pages that hold any row, ascending.
    pub fn filled(&self) -> impl Iterator<Item = u32> {
        let pages = (0..).zip(&self.0);
        pages
            .filter(|(_, page)| !page.rows.is_empty())
            .map(|(page, _)| page)
    }

    /// Bytes in memory, about, but for what only some rows have.
    pub fn bytes(&self) -> usize {
        let rows: usize = self.0.iter().map(|page| page.rows.capacity()).sum();
        rows * size_of::<Row>() + self.0.len() * (size_of::<Page>() + ALLOCATION)
    }
}
