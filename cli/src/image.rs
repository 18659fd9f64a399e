//! What the kernel would make of a file: an ELF image, a script for an interpreter, or nothing.

use std::ffi::OsStr;
use std::fmt::{self, Display, Formatter};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use object::elf::{self, DataEncoding, FileClass, FileHeader64, Machine};
use object::read::ReadCache;
use object::read::elf::{FileHeader, ProgramHeader};
use object::{Endianness, read};

/// How much of a file the kernel looks at to tell what it is.
const HEAD_SIZE: u64 = 256;

/// What kind of file it is.
#[derive(Debug)]
pub(crate) enum Image {
    Elf(Architecture),
    Script { interpreter: PathBuf },
    Unknown,
}

/// What code an ELF image holds. Images load into one process only if theirs are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Architecture {
    class: FileClass,
    encoding: DataEncoding,
    machine: Machine,
}

impl Image {
    /// Tells what `file` is from its first bytes.
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        let mut head = Vec::new();
        file.take(HEAD_SIZE).read_to_end(&mut head)?;
        Ok(Self::from_head(&head))
    }

    fn from_head(head: &[u8]) -> Self {
        if let Some(line) = head.strip_prefix(b"#!") {
            return Self::script(line);
        }
        match Architecture::from_head(head) {
            Some(architecture) => Self::Elf(architecture),
            // What has no kind of its own but is text goes to the shell, as `execvp` does it.
            None if head.starts_with(&elf::ELFMAG) || head.contains(&0) => Self::Unknown,
            None => Self::Script { interpreter: PathBuf::from("/bin/sh") },
        }
    }

    fn script(line: &[u8]) -> Self {
        let line = line.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let mut words = line.split(|byte| byte.is_ascii_whitespace());
        match words.find(|word| !word.is_empty()) {
            Some(path) => Self::Script { interpreter: Path::new(OsStr::from_bytes(path)).into() },
            None => Self::Unknown,
        }
    }
}

impl Architecture {
    /// Reads the few fixed bytes that every class of ELF header shares.
    fn from_head(head: &[u8]) -> Option<Self> {
        let [0x7f, b'E', b'L', b'F', class, encoding, ..] = *head else { return None };
        let machine = <[u8; 2]>::try_from(head.get(18..20)?).ok()?;
        let encoding = DataEncoding(encoding);
        let machine = Machine(match encoding {
            elf::ELFDATA2MSB => u16::from_be_bytes(machine),
            _ => u16::from_le_bytes(machine),
        });
        Some(Self { class: FileClass(class), encoding, machine })
    }
}

/// Shows the architecture as in `64-bit x86`.
impl Display for Architecture {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let bits = if self.class == elf::ELFCLASS32 { 32 } else { 64 };
        match self.machine {
            elf::EM_386 | elf::EM_X86_64 => write!(f, "{bits}-bit x86"),
            elf::EM_ARM | elf::EM_AARCH64 => write!(f, "{bits}-bit ARM"),
            elf::EM_RISCV => write!(f, "{bits}-bit RISC-V"),
            elf::EM_PPC | elf::EM_PPC64 => write!(f, "{bits}-bit PowerPC"),
            elf::EM_MIPS => write!(f, "{bits}-bit MIPS"),
            elf::EM_S390 => write!(f, "{bits}-bit S/390"),
            Machine(number) => write!(f, "{bits}-bit (ELF machine {number})"),
        }
    }
}

/// How a 64-bit ELF image is linked.
#[derive(Debug)]
pub(crate) struct Linkage {
    /// Whether it is position independent: a shared library, or a program that could be one.
    pub(crate) is_dynamic: bool,
    /// The loader it asks for; none if it is loaded as it stands.
    pub(crate) loader: Option<PathBuf>,
}

impl Linkage {
    /// Reads the program headers of `file`.
    pub(crate) fn of(mut file: File) -> Result<Self, read::Error> {
        // A seek that fails leaves a file whose header does not parse.
        let _at_start = file.rewind();
        let data = &ReadCache::new(file);
        let header = FileHeader64::<Endianness>::parse(data)?;
        let endian = header.endian()?;
        let mut loader = None;
        for segment in header.program_headers(endian, data)? {
            if let Some(path) = segment.interpreter(endian, data)? {
                loader = Some(PathBuf::from(OsStr::from_bytes(path)));
            }
        }
        Ok(Self { is_dynamic: header.e_type(endian) == elf::ET_DYN, loader })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interpreter(head: &[u8]) -> Option<PathBuf> {
        match Image::from_head(head) {
            Image::Script { interpreter } => Some(interpreter),
            _ => None,
        }
    }

    #[test]
    fn a_script_names_its_interpreter() {
        assert_eq!(interpreter(b"#!/bin/sh\nexit\n").unwrap(), Path::new("/bin/sh"));
        assert_eq!(interpreter(b"#! \t/usr/bin/env python3").unwrap(), Path::new("/usr/bin/env"));
        assert_eq!(interpreter(b"echo no kind\n").unwrap(), Path::new("/bin/sh"));
        assert_eq!(interpreter(b"").unwrap(), Path::new("/bin/sh"));
        assert_eq!(interpreter(b"#!\n/bin/sh"), None);
        assert_eq!(interpreter(b"MZ\0\0"), None);
    }

    #[test]
    fn a_short_elf_header_is_nothing() {
        assert!(matches!(Image::from_head(b"\x7fELF\x02\x01"), Image::Unknown));
    }

    #[test]
    fn this_program_is_a_dynamic_one() {
        let file = File::open("/proc/self/exe").unwrap();
        let Image::Elf(architecture) = Image::of(&file).unwrap() else { panic!("an ELF image") };
        assert!(architecture.to_string().starts_with("64-bit"));
        assert!(Linkage::of(file).unwrap().loader.is_some());
    }
}
