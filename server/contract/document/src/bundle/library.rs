//! The files of a document.

use crate::error::Error;
use crate::files::{self, Files};
use crate::source::{self, SourceMap};
use serde_json::Value;
use std::collections::HashMap;

/// Most files that may turn out to be unreadable before no others are tried. A small file may take long, because of its aliases.
const MOST_UNREADABLE: usize = 20;

/// The document's own file, then those read so far.
pub(super) struct Library<'f> {
    files: Files<'f>,
    pub(super) read: Vec<File>,
    /// Why files could not be read, by their paths.
    unreadable: HashMap<String, String>,
    /// Number of values in the files.
    values: usize,
}

pub(super) struct File {
    pub(super) path: String,
    /// Name in messages.
    pub(super) name: String,
    pub(super) value: Value,
    pub(super) source_map: SourceMap,
}

/// Why a file is not to be had.
pub(super) enum Missing {
    /// The reference does not name a file.
    NoPath(&'static str),
    /// It cannot be read.
    Unreadable(Box<dyn std::error::Error + Send + Sync>),
    /// It can be read but not parsed.
    Unusable(Error),
}

impl<'f> Library<'f> {
    pub(super) fn new(files: Files<'f>, name: &str, value: Value, source_map: SourceMap) -> Self {
        let values = source::size(&value);
        let own = File { path: files::without_detours(files.own), name: name.to_owned(), value, source_map };
        Self { files, read: vec![own], unreadable: HashMap::new(), values }
    }

    /// Index of the file that a reference in another one names. Each file is read once.
    pub(super) fn find(&mut self, from: usize, reference: &str) -> Result<usize, Missing> {
        let path = files::path(&self.read[from].path, reference).map_err(Missing::NoPath)?;
        if let Some(known) = self.read.iter().position(|file| file.path == path) {
            return Ok(known);
        }
        if let Some(why) = self.unreadable.get(&path) {
            return Err(Missing::Unreadable(why.as_str().into()));
        }
        if self.unreadable.len() >= MOST_UNREADABLE {
            return Err(Missing::Unreadable("it is not tried, because many others cannot be read".into()));
        }
        let file = (self.files.read)(&path).map_err(|source| {
            self.unreadable.insert(path.clone(), source.to_string());
            Missing::Unreadable(source)
        })?;
        let (value, source_map) = source::read_part(&file.name, &file.text, self.values).map_err(|error| {
            self.unreadable.insert(path.clone(), error.on_one_line());
            Missing::Unusable(error)
        })?;
        self.values += source::size(&value);
        self.read.push(File { path, name: file.name, value, source_map });
        Ok(self.read.len() - 1)
    }

    /// The path of a file without its extension and without the folders that it shares with the document.
    pub(super) fn path_from_here(&self, file: usize) -> &str {
        let path = &self.read[file].path;
        let shared = self.read[0].path.split_inclusive('/').zip(path.split_inclusive('/'));
        let shared =
            shared.take_while(|(own, other)| own == other && own.ends_with('/')).map(|(own, _)| own.len()).sum();
        let path = &path[shared..];
        let name_at = path.rfind('/').map_or(0, |slash| slash + 1);
        path[name_at..].find('.').map_or(path, |dot| &path[..name_at + dot])
    }
}
