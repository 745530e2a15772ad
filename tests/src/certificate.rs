//! Certificates that one test trusts and nobody else.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The name that they are for.
pub const NAME: &str = "voice.test";

/// A certificate that vouches for itself, with its key, in a folder.
#[derive(Clone, Debug)]
pub struct Certificate {
    folder: PathBuf,
}

impl Certificate {
    /// Makes one.
    ///
    /// # Panics
    /// When the folder cannot be written.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        let this = Self::of(folder);
        let config = folder.join("certificate.cnf");
        fs::write(&config, CONFIG).expect("the folder can be written");
        let key = this.key();
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
            .args(["-days", "2", "-config"])
            .arg(&config)
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(this.alone())
            .output()
            .expect("openssl is installed: make test sees to it");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let parts = [this.alone(), key].map(|file| fs::read(file).expect("it was written a moment ago"));
        fs::write(this.both(), parts.concat()).expect("the folder can be written");
        this
    }

    /// The one that was made in a folder.
    #[must_use]
    pub fn of(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The file of the certificate.
    #[must_use]
    pub fn alone(&self) -> PathBuf {
        self.folder.join("certificate.pem")
    }

    /// The file of its key.
    #[must_use]
    pub fn key(&self) -> PathBuf {
        self.folder.join("key.pem")
    }

    /// The file of the certificate and its key.
    #[must_use]
    pub fn both(&self) -> PathBuf {
        self.folder.join("certificate-and-key.pem")
    }
}

const CONFIG: &str = "\
[req]
distinguished_name = name
x509_extensions = extensions
prompt = no
[name]
CN = voice.test
[extensions]
basicConstraints = critical,CA:FALSE
subjectAltName = DNS:voice.test
";
