//! File systems that refuse, lie, or belong to others, under the program as a shell sees it.
//!
//! Four fixtures, each with a test of its own in `fixtures.rs`; a test that lacks a tool says `not run: …` and passes, with
//! `CI=true`, too. `.ci/file-systems` installs what is missing.
//!
//! | fixture | what it is |
//! |---|---|
//! | [`refusing::Refusing`] | libc calls below a directory fail, or show other inodes at each look (`LD_PRELOAD`) |
//! | [`injected::injected`] | system calls fail, also those that bypass libc (`strace -e inject`) |
//! | [`account::Account`] | the program as another user (`setpriv`) |
//! | [`mounted::Mounted`] | a directory behind FUSE (`rclone mount`) |
#![cfg(target_os = "linux")]
#![allow(dead_code, reason = "fixtures have more than the tests of today use")]

mod account;
mod fixtures;
mod full;
mod injected;
mod lacking;
mod links;
mod mounted;
mod needs;
mod neighbors;
mod passed;
mod private;
#[path = "../cli/program.rs"]
mod program;
mod refusing;
mod volumes;
