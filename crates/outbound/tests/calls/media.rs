//! Files come over HTTP and out of `data:` addresses, whole or not at all, and leave nothing behind.

use std::path::Path;
use std::time::Duration;

use crate::support::{Server, answer, client, head, loopback_allowed};
use tempfile::TempDir;
use wagate_domain::model::{MediaFile, MediaKind};
use wagate_domain::ports::MediaSource;
use wagate_domain::{Error, Result};
use wagate_outbound::{HttpMedia, MediaSettings};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR and more";

struct Story {
    directory: TempDir,
    media: HttpMedia,
}

impl Story {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut MediaSettings)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut settings = MediaSettings::new(directory.path());
        change(&mut settings);
        Self {
            directory,
            media: HttpMedia::new(client(loopback_allowed()), settings),
        }
    }

    async fn fetch(&self, url: impl AsRef<str>) -> Result<MediaFile> {
        self.media.fetch(url.as_ref()).await
    }

    fn files_left(&self) -> usize {
        std::fs::read_dir(self.directory.path()).unwrap().count()
    }
}

fn content(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

fn too_large(error: &Error, limit: u64) -> bool {
    matches!(error, Error::TooLarge { what: "file", limit: named } if *named == limit)
}

#[tokio::test]
async fn a_file_is_what_its_content_says_and_lives_as_long_as_its_last_owner() {
    let server = Server::start(|_| answer(200, "Content-Type: text/html\r\n", PNG)).await;
    let story = Story::new();
    let file = story.fetch(server.url("/pictures/My%20cat.txt")).await.unwrap();
    assert_eq!((file.mimetype(), file.kind()), ("image/png", MediaKind::Image));
    assert_eq!(
        (file.file_name(), file.size()),
        (Some("My cat.txt"), PNG.len() as u64)
    );
    assert_eq!(content(file.path()), PNG);
    let other = file.clone();
    drop(file);
    assert_eq!(story.files_left(), 1);
    drop(other);
    assert_eq!(story.files_left(), 0);
}

#[tokio::test]
async fn redirects_are_followed_three_times() {
    let server = Server::start(|path| {
        let step: usize = path.trim_start_matches('/').parse().unwrap();
        let headers = format!("Location: {}\r\n", step.saturating_sub(1));
        if step == 0 {
            answer(
                200,
                "Content-Disposition: attachment; filename=\"r\u{e9}sum\u{e9}.pdf\"\r\n",
                b"%PDF-1.7 ...",
            )
        } else {
            answer(301, &headers, b"elsewhere")
        }
    })
    .await;
    let story = Story::new();
    let file = story.fetch(server.url("/3")).await.unwrap();
    assert_eq!(
        (file.mimetype(), file.file_name()),
        ("application/pdf", Some("r\u{e9}sum\u{e9}.pdf"))
    );
    let error = story.fetch(server.url("/4")).await.unwrap_err();
    assert_eq!(
        (error.code(), error.to_string()),
        (
            "invalid_file_url".into(),
            "the file's address redirects too often".into()
        )
    );
}

#[tokio::test]
async fn an_error_of_the_server_is_told_with_its_status() {
    let server = Server::start(|path| match path {
        "/gone" => answer(410, "", b"gone"),
        "/lost" => answer(302, "", b"no location"),
        "/empty" => answer(200, "", b""),
        _ => answer(503, "", b""),
    })
    .await;
    let story = Story::new();
    for (path, text) in [
        ("/gone", "the file's server answered 410"),
        ("/lost", "the file's server answered 302"),
        ("/down", "the file's server answered 503"),
        ("/empty", "the file is empty"),
    ] {
        let error = story.fetch(server.url(path)).await.unwrap_err();
        assert_eq!(
            (error.code(), error.to_string()),
            ("invalid_file_url".into(), text.into())
        );
    }
    assert_eq!(story.files_left(), 0);
}

#[tokio::test]
async fn size_is_checked_by_announcement_and_by_count() {
    let server = Server::start(|path| match path {
        // The body never comes: the announcement alone must decide.
        "/announced" => vec![Some(head(200, "Content-Length: 1001\r\n")), None],
        "/exact" => answer(200, "", &[7; 1000]),
        _ => {
            let mut chunk = b"3e8\r\n".to_vec();
            chunk.extend_from_slice(&[7; 1000]);
            chunk.extend_from_slice(b"\r\n");
            vec![
                Some(head(200, "Transfer-Encoding: chunked\r\n")),
                Some(chunk.clone()),
                Some(chunk),
                None,
            ]
        }
    })
    .await;
    let story = Story::with(|settings| settings.max_bytes = 1000);
    assert!(too_large(
        &story.fetch(server.url("/announced")).await.unwrap_err(),
        1000
    ));
    assert!(too_large(
        &story.fetch(server.url("/endless")).await.unwrap_err(),
        1000
    ));
    assert_eq!(story.fetch(server.url("/exact")).await.unwrap().size(), 1000);
    assert_eq!(story.files_left(), 0);
}

#[tokio::test]
async fn patience_ends_between_pieces_and_over_all() {
    let server = Server::start(|path| match path {
        "/silent" => vec![None],
        "/stops" => vec![
            Some(head(200, "Content-Length: 10\r\n")),
            Some(b"half".to_vec()),
            None,
        ],
        _ => vec![Some(head(200, "Content-Length: 10\r\n")), Some(b"cut".to_vec())],
    })
    .await;
    let short = Duration::from_millis(50);
    let stories = [
        Story::with(|settings| settings.idle_timeout = short),
        Story::with(|settings| settings.timeout = short),
    ];
    for story in &stories {
        for path in ["/silent", "/stops"] {
            let error = story.fetch(server.url(path)).await.unwrap_err();
            let code = error.code();
            assert_eq!(
                (code.as_str(), error.to_string().contains("too slow")),
                ("media_unavailable", true),
                "{path}"
            );
        }
        assert_eq!(
            story.fetch(server.url("/cut")).await.unwrap_err().code(),
            "media_unavailable"
        );
        assert_eq!(story.files_left(), 0);
    }
}

#[tokio::test]
async fn nobody_at_home_is_unavailable() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let error = Story::new()
        .fetch(format!("http://127.0.0.1:{port}/"))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "media is unavailable: the file's server cannot be reached"
    );
}

#[tokio::test]
async fn data_addresses_need_no_server() {
    let story = Story::with(|settings| settings.max_bytes = 30);
    let file = story
        .fetch(" data:text/plain;base64,iVBORw0KGgoAAAANSUhEUg== ")
        .await
        .unwrap();
    assert_eq!(
        (file.mimetype(), file.size(), file.file_name()),
        ("image/png", 16, None)
    );
    assert_eq!(content(file.path()), b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    let note = story.fetch("data:,a%20note").await.unwrap();
    assert_eq!(
        (note.mimetype(), content(note.path())),
        ("text/plain", b"a note".to_vec())
    );
    for wrong in ["data:image/png;base64,***", "data:nothing", "data:;base64,"] {
        assert_eq!(
            story.fetch(wrong).await.unwrap_err().code(),
            "invalid_file_url",
            "{wrong}"
        );
    }
    assert!(too_large(
        &story
            .fetch(format!("data:;base64,{}", "A".repeat(44)))
            .await
            .unwrap_err(),
        30
    ));
    drop((file, note));
    assert_eq!(story.files_left(), 0);
}

#[tokio::test]
async fn a_large_file_arrives_whole() {
    let body: Vec<u8> = (0..3_000_000_u32)
        .map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let sent = body.clone();
    let server = Server::start(move |_| answer(200, "", &sent)).await;
    let story = Story::new();
    let file = story.fetch(server.url("/large.bin")).await.unwrap();
    assert_eq!(file.size(), 3_000_000);
    assert!(content(file.path()) == body);
}
