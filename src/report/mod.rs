//! stub
use std::vec::Vec; use std::string::String; use std::io::{self,Write};
#[derive(Default,Debug,Clone,Copy)] pub struct MemoryStats{pub total_allocations:u64,pub current_allocations:u64,pub peak_allocations:u64,pub total_deallocations:u64,pub bytes_allocated:u64,pub bytes_deallocated:u64,pub current_bytes:u64,pub peak_bytes:u64}
#[derive(Debug)] pub struct Frame; #[derive(Debug)] pub struct Leak; #[derive(Debug)] pub struct LeakClass;
#[derive(Debug)] pub struct LeakReport{pub n:u64}
impl LeakReport{pub fn has_leaks(&self)->bool{self.n>0} pub fn leaked_blocks(&self)->u64{self.n}}
pub struct Modules; impl Modules{pub fn of_this_process()->Self{Modules}}
pub struct RawLeak{pub blocks:u64,pub bytes:u64,pub threads:Vec<u32>,pub stack:Vec<u64>,pub truncated:bool}
pub struct RawReport{pub stats:MemoryStats,pub leaks:Vec<RawLeak>,pub notes:Vec<String>,pub overhead_bytes:u64}
#[derive(Clone,Copy)] pub struct Style{pub colour:bool,pub width:usize} impl Style{pub const PLAIN:Style=Style{colour:false,width:100};}
pub fn leak_report(r:RawReport,_:&Modules)->LeakReport{LeakReport{n:r.leaks.iter().map(|l|l.blocks).sum()}}
pub fn write_text(r:&LeakReport,w:&mut dyn Write,_:Style)->io::Result<()>{writeln!(w,"{r:?}")}
pub fn write_json(r:&LeakReport,w:&mut dyn Write)->io::Result<()>{writeln!(w,"{r:?}")}
pub fn write_stats(r:&MemoryStats,_:bool,w:&mut dyn Write,_:Style)->io::Result<()>{writeln!(w,"{r:?}")}
pub fn write_stack(t:&str,s:Vec<u64>,_:&Modules,w:&mut dyn Write,_:Style)->io::Result<()>{writeln!(w,"{t} {s:x?}")}
