//! The command as its users meet it: every test types a command line and looks at what comes back.

mod help;
mod leaking;
mod ledgers;
mod listing;
mod refusals;
mod running;
mod viewing;
mod world;
