//! Claims that cannot all be true: found, and ended when at most one of them is still made.

use super::Draft;
use crate::memory::{Claim, Contradiction, Id, Mint, Resolution, ResolvedBy};

/// Links claims that cannot all be true. One more side of an open contradiction joins it.
pub(super) fn open(draft: &mut Draft<'_>, claims: Vec<Claim>, mint: &mut Mint<'_>) {
    let known = draft.contradictions().into_iter();
    let mut known = known.filter(|one| one.is_open());
    let joined = known.find(|one| one.claims.iter().any(|claim| claims.contains(claim)));
    let mut contradiction = joined.unwrap_or_else(|| Contradiction {
        id: mint.id(),
        claims: Vec::new(),
        found_at: draft.now,
        resolved: None,
    });
    for claim in claims {
        if !contradiction.claims.contains(&claim) {
            contradiction.claims.push(claim);
        }
    }
    draft.put_contradiction(contradiction);
}

/// Links two memories that cannot both be true, unless relations of theirs are linked already.
pub fn oppose(draft: &mut Draft<'_>, one: Id, other: Id, mint: &mut Mint<'_>) {
    let rests_on = |contradiction: &Contradiction, id: &Id| {
        let mut claims = contradiction.claims.iter();
        claims.any(|claim| draft.basis(claim).contains(id))
    };
    let known = draft.contradictions();
    let is_linked = known
        .iter()
        .any(|known| known.is_open() && rests_on(known, &one) && rests_on(known, &other));
    if !is_linked && one != other {
        open(draft, vec![Claim::Memory(one), Claim::Memory(other)], mint);
    }
}

/// How [`settle`] sees memories.
pub struct Settled<'s> {
    /// Whether a memory is believed after the commit.
    pub is_current: &'s dyn Fn(&Id) -> bool,
    /// Who changed things.
    pub by: ResolvedBy,
}

/// Ends the open contradictions of which at most one claim is still made.
pub fn settle(draft: &mut Draft<'_>, settled: &Settled<'_>) {
    for mut contradiction in draft.contradictions() {
        if !contradiction.is_open() {
            continue;
        }
        let is_made = |claim: &&Claim| match claim {
            Claim::Memory(id) => (settled.is_current)(id),
            Claim::Relation(key) => draft.relation(key).is_some_and(|r| r.is_current()),
        };
        let mut made = contradiction.claims.iter().filter(is_made);
        let (kept, another) = (made.next().cloned(), made.next());
        if another.is_none() {
            contradiction.resolved = Some(Resolution {
                at: draft.now,
                kept,
                by: settled.by,
            });
            draft.put_contradiction(contradiction);
        }
    }
}
