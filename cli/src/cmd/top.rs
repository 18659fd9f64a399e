//! `heapsight top`: a running process, live.

use std::io::{self, IsTerminal};
use std::time::Duration;

use crate::args::viewing::TopArgs;
use crate::failure::Failure;
use crate::page;
use crate::top::app::App;
use crate::top::screen;
use crate::view::names::Names;
use crate::view::source::Source;

/// Shows the process until somebody ends it; to no terminal, one picture.
pub(crate) fn top(args: &TopArgs) -> Result<(), Failure> {
    let source = Source::find(&args.ledger)?;
    let mut app = App::new(source.read()?, Names::new(!args.no_symbols), args.by, 0.0);
    if args.once || !io::stdout().is_terminal() {
        return Ok(page::print(&screen::still(&mut app)?)?);
    }
    let every = Duration::from_secs_f64(args.every);
    screen::run(&mut app, &source, every).map_err(Failure::Terminal)
}
