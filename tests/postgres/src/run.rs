//! What the processes of one run share: cargo-nextest starts one for each test.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};

/// A text that the first process of a run makes and the others read. It stands in a file beside the test binaries,
/// below a line with the id of the run, so that the next run makes it anew and nothing has to be cleared away.
pub struct SharedByRun {
    /// Locked for this process alone.
    file: File,
    run_id: String,
}

impl SharedByRun {
    /// Waits until no other process of the run has the text of this name. `None` where all tests of a run are in this
    /// process, which then shares what it likes in memory.
    ///
    /// # Panics
    /// When the file cannot be made or locked.
    #[must_use]
    pub fn lock(name: &str) -> Option<Self> {
        let run_id = std::env::var("NEXTEST_RUN_ID").ok()?;
        let binary = std::env::current_exe().expect("the path of the test binary");
        let folder = binary.parent().expect("a binary is in a directory").join("shared-by-run");
        fs::create_dir_all(&folder).expect("a directory beside the test binary");
        let file = File::options().read(true).write(true).create(true).truncate(false).open(folder.join(name));
        let file = file.expect("a file beside the test binary");
        file.lock().expect("files can be locked");
        Some(Self { file, run_id })
    }

    /// The text, if a process of this run made it.
    ///
    /// # Panics
    /// When the file cannot be read.
    #[must_use]
    pub fn text(&mut self) -> Option<String> {
        let mut content = String::new();
        self.file.seek(SeekFrom::Start(0)).expect("a file has a start");
        self.file.read_to_string(&mut content).expect("the file can be read");
        let (run_id, text) = content.split_once('\n')?;
        (run_id == self.run_id).then(|| text.to_owned())
    }

    /// Leaves the text to the other processes of the run.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn share(&mut self, text: &str) {
        self.file.set_len(0).expect("the file can be emptied");
        self.file.seek(SeekFrom::Start(0)).expect("a file has a start");
        let content = format!("{}\n{text}", self.run_id);
        self.file.write_all(content.as_bytes()).expect("the file can be written");
    }
}
