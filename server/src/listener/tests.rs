//! Real connections, to a server that says what it was asked for.

use super::*;
use http_body_util::BodyExt as _;
use slog::o;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Notify;
use tokio::time::Instant;

/// In bytes: more than the system keeps of what a client does not read.
const LARGE: usize = 32 << 20;

/// Responds to `/slow` once it may, to `/large` with that many bytes, to `/unread` and `/refused` without reading the body, and to
/// all else at once.
#[derive(Default)]
struct Echo {
    has_begun: Notify,
    may_end: Notify,
}

impl Serve for Echo {
    async fn serve(&self, _: SocketAddr, request: Request<Body>) -> Response<Body> {
        let path = request.uri().path().to_owned();
        if path == "/slow" {
            self.has_begun.notify_one();
            self.may_end.notified().await;
        }
        let unread = [("/unread", http::StatusCode::OK), ("/refused", http::StatusCode::PAYLOAD_TOO_LARGE)];
        if let Some((_, status)) = unread.into_iter().find(|(unread, _)| path == *unread) {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = status;
            return response;
        }
        if path == "/large" {
            return Response::new(Body::from(vec![b'x'; LARGE]));
        }
        let body = request.into_body().collect().await.map(|body| body.to_bytes().len());
        Response::new(Body::from(format!("{path} {:?}", body.ok())))
    }
}

fn start(idle: Duration) -> (Listener, Arc<Echo>) {
    let (server, log) = (Arc::new(Echo::default()), Logger::root(slog::Discard, o!()));
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    (Listener::start(address, idle, Arc::clone(&server), log).expect("a port"), server)
}

async fn connect(listener: &Listener) -> TcpStream {
    TcpStream::connect(listener.local_addr()).await.expect("listening")
}

async fn ask(stream: &mut TcpStream, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("writable");
    let mut bytes = [0; 4096];
    let length = stream.read(&mut bytes).await.expect("a response");
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

/// Reads until the server closes the connection, and says how long that took.
async fn closed(stream: &mut TcpStream) -> (Vec<u8>, Duration) {
    let (began, mut rest) = (Instant::now(), Vec::new());
    // A connection that is reset is closed, too.
    let _ = stream.read_to_end(&mut rest).await;
    (rest, began.elapsed())
}

#[tokio::test]
async fn a_connection_without_a_request_is_closed_when_its_time_is_over_and_not_before() {
    let idle = Duration::from_millis(700);
    let (listener, server) = start(idle);
    let (mut silent, mut used) = (connect(&listener).await, connect(&listener).await);
    // Each request begins the time anew.
    for _ in 0..3 {
        assert!(ask(&mut used, "/x").await.starts_with("HTTP/1.1 200"));
        tokio::time::sleep(idle / 2).await;
    }
    let (rest, took) = closed(&mut used).await;
    assert!(rest.is_empty() && took >= idle / 4, "{took:?}");
    assert!(closed(&mut silent).await.0.is_empty());
    // What is served has no such time.
    let mut slow = connect(&listener).await;
    slow.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("writable");
    server.has_begun.notified().await;
    tokio::time::sleep(idle * 2).await;
    server.may_end.notify_one();
    let (response, took) = closed(&mut slow).await;
    assert!(response.starts_with(b"HTTP/1.1 200") && took >= idle, "{took:?}");
}

/// With limits of its own, so that it need not take 30 seconds.
#[tokio::test]
async fn a_head_that_does_not_end_is_waited_for_no_longer_however_long_idle_connections_are_kept() {
    let limits = Limits { idle: Duration::from_secs(75), head: Duration::from_millis(300) };
    let (activity, (mut client, server)) = (Activity::new(), tokio::io::duplex(1024));
    let mut stream = Timed { stream: server, activity: Arc::clone(&activity) };
    let began = Instant::now();
    let mut too_long = std::pin::pin!(activity.until_too_long(limits));
    let write = async {
        // A byte now and then makes the time no longer.
        loop {
            client.write_all(b"x").await.expect("writable");
            stream.read_u8().await.expect("readable");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        () = write => unreachable!("it goes on"),
        () = &mut too_long => {}
    }
    assert!((limits.head..limits.idle).contains(&began.elapsed()), "{:?}", began.elapsed());
    // Nor is it a matter of the head once its request is served, or in HTTP/2.
    for (version, limit) in [(http::Version::HTTP_11, limits.head), (http::Version::HTTP_2, limits.idle)] {
        drop(activity.begin(version));
        client.write_all(b"x").await.expect("writable");
        stream.read_u8().await.expect("readable");
        let deadline = activity.deadline(limits).expect("something is waited for");
        let left = deadline.saturating_duration_since(Instant::now());
        assert!(left <= limit && left + Duration::from_millis(200) > limit, "{version:?} {left:?}");
        let _serving = activity.begin(version);
        assert!(activity.deadline(limits).is_none());
    }
}

#[tokio::test]
async fn a_head_above_the_limit_is_refused_before_it_is_held() {
    let (listener, _) = start(Duration::from_secs(75));
    for (bytes, status) in [(LARGEST_HEAD / 2, "200"), (LARGEST_HEAD * 2, "431")] {
        let mut stream = connect(&listener).await;
        let request =
            format!("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-long: {}\r\n\r\n", "x".repeat(bytes));
        // The server stops reading.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut start = [0; 12];
        stream.read_exact(&mut start).await.expect("a response");
        assert_eq!(String::from_utf8_lossy(&start), format!("HTTP/1.1 {status}"), "{bytes}");
    }
}

#[tokio::test]
async fn a_client_whose_body_is_not_read_hears_that_the_connection_ends() {
    let (listener, _server) = start(Duration::from_secs(60));
    for (path, status, length) in
        [("/refused", 413, 100_000), ("/refused", 413, 3), ("/unread", 200, 100_000), ("/unread", 200, 3)]
    {
        let mut stream = connect(&listener).await;
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\nxxx");
        stream.write_all(head.as_bytes()).await.expect("writable");
        let mut bytes = [0; 4096];
        let read = stream.read(&mut bytes).await.expect("a response");
        let response = String::from_utf8_lossy(&bytes[..read]).into_owned();
        assert!(response.starts_with(&format!("HTTP/1.1 {status}")), "{response}");
        let is_over = response.contains("connection: close");
        assert_eq!(is_over, length > 3, "what is there is read: {response}");
        if !is_over {
            assert!(ask(&mut stream, "/x").await.starts_with("HTTP/1.1 200"));
        }
    }
}

#[tokio::test]
async fn what_has_begun_goes_on_without_its_client_and_a_stop_waits_for_it() {
    let (listener, server) = start(Duration::from_secs(75));
    let mut idle = connect(&listener).await;
    ask(&mut idle, "/x").await;
    let mut slow = connect(&listener).await;
    slow.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("writable");
    server.has_begun.notified().await;
    drop(slow);
    let address = listener.local_addr();
    let mut stop = std::pin::pin!(listener.close());
    tokio::select! {
        _ = &mut stop => panic!("the request goes on"),
        (rest, _) = closed(&mut idle) => assert!(rest.is_empty()),
    }
    assert!(TcpStream::connect(address).await.is_err(), "no more connections are accepted");
    server.may_end.notify_one();
    stop.await.expect("no defect");
}

#[tokio::test]
async fn clients_that_begin_with_http_2_are_served_and_may_be_idle() {
    let idle = Duration::from_millis(700);
    let (listener, _) = start(idle);
    let stream = TokioIo::new(connect(&listener).await);
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.expect("HTTP/2");
    let connection = tokio::spawn(connection);
    for _ in 0..3 {
        let request = Request::get("http://x/two").body(Body::empty()).expect("a request");
        let response = sender.send_request(request).await.expect("a response");
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        assert_eq!(body, "/two Some(0)");
        tokio::time::sleep(idle / 2).await;
    }
    assert!(sender.is_closed() || !connection.is_finished());
    drop(sender);
    let _ = connection.await;
}

#[tokio::test]
async fn a_response_that_is_taken_slowly_is_taken_to_its_end_and_one_that_is_not_taken_is_given_up() {
    let idle = Duration::from_millis(700);
    let (listener, _) = start(idle);
    let (mut slow, mut stuck) = (connect(&listener).await, connect(&listener).await);
    for stream in [&mut slow, &mut stuck] {
        stream.write_all(b"GET /large HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.expect("writable");
    }
    let (began, mut read, mut bytes) = (Instant::now(), 0, vec![0; 1 << 20]);
    loop {
        match slow.read(&mut bytes).await.expect("it is not given up") {
            0 => break,
            count => read += count,
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(read > LARGE && began.elapsed() > idle / 2, "{read} in {:?}", began.elapsed());
    tokio::time::sleep(idle * 2).await;
    assert!(closed(&mut stuck).await.0.len() < LARGE);
}

/// The grace period of a stop is for requests.
#[tokio::test]
async fn a_stop_is_held_up_by_no_client_that_has_nothing_served() {
    let (listener, _) = start(Duration::from_secs(75));
    let mut clients = Vec::new();
    let beginnings: [&[u8]; 4] = [b"", b"GET / HT", b"PRI", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"];
    for beginning in beginnings {
        let mut stream = connect(&listener).await;
        stream.write_all(beginning).await.expect("writable");
        clients.push(stream);
    }
    // Read by the server, for all that this test can see: a request that comes later is served.
    ask(&mut connect(&listener).await, "/x").await;
    let stopped = tokio::time::timeout(Duration::from_secs(8), listener.close()).await;
    stopped.expect("long before the times of idle connections and of heads").expect("no defect");
    for mut client in clients {
        closed(&mut client).await;
    }
}
