//! What is done with a conversation: [`extract`], then [`update`], then [`store`]; and with a
//! question: [`answer`].
//!
//! The phases take what is known as plain data and answer with plain data. They ask models, but
//! never write: what is to be stored is a [`Changes`](crate::store::Changes) that the space commits.

mod alike;
pub mod answer;
mod asked;
pub mod context;
pub mod describe;
pub mod erase;
mod evidence;
pub mod export;
pub mod extract;
mod found;
pub mod graph;
pub mod knowledge;
mod originals;
pub mod pages;
mod passages;
pub mod past;
pub mod recall;
mod selection;
mod shape;
pub mod store;
pub mod summary;
mod timed;
pub mod timeline;
pub mod update;
mod walk;
pub mod when;
