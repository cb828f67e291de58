//! The verbs that need no repository, one file each.

mod abandon;
mod certify;
mod discover;
mod generate;
mod inspect;
mod inventory;
mod verify;
