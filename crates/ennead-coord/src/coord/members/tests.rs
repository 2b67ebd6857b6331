use super::is_peer_url;

#[test]
fn peer_urls_have_a_host_a_port_and_no_path() {
    for good in ["http://a:1", "https://127.0.0.1:2380", "http://[::1]:2380", "unix://a", "HTTP://a:1", "http://u@a:1"]
    {
        assert!(is_peer_url(good), "{good}");
    }
    for bad in ["", "a:1", "http://a", "http://a:1/", "ftp://a:1", "http://::1:2380", "http://a:x", "http:a:1"] {
        assert!(!is_peer_url(bad), "{bad}");
    }
}
