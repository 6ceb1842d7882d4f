//! Documents at URLs.

use super::run;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use tempfile::tempdir;

/// Serves files over HTTP, and `401` without the header `X-Token: hunter2`. Returns the base URL.
fn serve(files: &'static [(&'static str, &'static str)]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
            let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            let target = head[0].split(' ').nth(1).unwrap();
            let path = target.split('?').next().unwrap();
            let is_allowed = head.iter().any(|line| line.eq_ignore_ascii_case("x-token: hunter2"));
            let (status, more, body) = match files.iter().find(|(name, _)| *name == path) {
                _ if !is_allowed => ("401 Unauthorized", String::new(), ""),
                _ if path == "/away" => ("302 Found", "location: http://127.0.0.2:9/api.yaml\r\n".to_owned(), ""),
                Some((_, text)) => ("200 OK", String::new(), *text),
                None => ("404 Not Found", String::new(), ""),
            };
            let head =
                format!("HTTP/1.1 {status}\r\n{more}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
            // A client that has read enough may be gone.
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
        }
    });
    base
}

#[test]
fn documents_are_read_from_urls_with_the_files_that_they_refer_to() {
    const API: &str = "openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths: {}\n\
                       components: {schemas: {A: {$ref: 'schemas/a.yaml'}}}\n";
    let base = serve(&[("/v1/api.yaml", API), ("/v1/schemas/a.yaml", "type: strin\n")]);
    let folder = tempdir().unwrap();
    let url = format!("{base}/v1/api.yaml?secret=hunter2");
    let header = ["--header", "X-Token: hunter2"];
    let (status, text, error) = run(folder.path(), &[&["lint", &url], &header[..]].concat());
    assert_eq!(status, Some(1), "{error}");
    assert!(text.contains(&format!("--> {base}/v1/schemas/a.yaml:1:1")) && text.contains("`string`"), "{text}");
    let (status, text, error) = run(folder.path(), &[&["diff", &url, &url], &header[..]].concat());
    assert_eq!(
        (status, text),
        (Some(0), format!("no findings in {base}/v1/api.yaml → {base}/v1/api.yaml\n")),
        "{error}"
    );

    let away = format!("{base}/away");
    let missing = format!("{base}/none.yaml");
    for (arguments, said) in [
        (vec!["lint", &url], format!("{base}/v1/api.yaml cannot be read: the server responds with 401 Unauthorized")),
        (
            vec!["lint", &missing, header[0], header[1]],
            format!("{missing} cannot be read: the server responds with 404"),
        ),
        (vec!["lint", &away, header[0], header[1]], "it redirects to another origin".to_owned()),
    ] {
        let (status, _, error) = run(folder.path(), &arguments);
        assert_eq!(status, Some(2), "{error}");
        assert!(error.contains(&said) && !error.contains("hunter2"), "{said} is not in\n{error}");
    }
}
