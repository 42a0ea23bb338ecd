//! What is done with a conversation: [`extract`], then [`update`], then [`store`]; and with a
//! question: [`recall`].
//!
//! The phases take what is known as plain data and answer with plain data. They ask models, but
//! never write: what is to be stored is a [`Changes`](crate::store::Changes) that the space commits.

pub mod erase;
pub mod extract;
pub mod knowledge;
pub mod pages;
mod passages;
pub mod recall;
mod selection;
pub mod store;
pub mod summary;
pub mod update;
pub mod when;
