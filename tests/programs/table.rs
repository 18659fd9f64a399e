//! What the table says of a program.

use crate::support::Need;

/// A real program and what it is to do.
#[derive(Debug)]
pub(crate) struct Program {
    /// The name of its test.
    pub(crate) name: &'static str,
    /// The commands that its script calls, and where they come from.
    pub(crate) need: Need,
    /// The process that must leave a report, by a part of its file name, or by one of several:
    /// proof that the library was in it. Empty for one that brings a malloc of its own.
    pub(crate) witness: &'static str,
    /// What it does, for `sh -eu`, in a fresh directory with a copy of `input/` and `words.txt`.
    /// It must print something that tells whether all went well, the same each time.
    pub(crate) script: &'static str,
}

/// Writes a group of the table, and a test for each program in it.
macro_rules! programs {
    ($($(#[doc = $doc:literal])*
       $name:ident from $packages:literal needs $commands:literal shows $witness:literal
       $script:literal)*) => {
        /// The programs of this group.
        pub(crate) const PROGRAMS: &[$crate::table::Program] = &[$($crate::table::Program {
            name: stringify!($name),
            need: $crate::support::Need { commands: $commands, packages: $packages },
            witness: $witness,
            script: $script,
        }),*];

        $(#[test]
        $(#[doc = $doc])*
        fn $name() {
            let program = PROGRAMS.iter().find(|program| program.name == stringify!($name));
            $crate::trial::run(program.expect("the test and its row are made together"));
        })*
    };
}

pub(crate) use programs;
