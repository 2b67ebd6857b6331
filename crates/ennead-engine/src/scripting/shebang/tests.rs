use super::*;

fn words(line: &str) -> Option<Vec<String>> {
    let words = split(line.as_bytes())?;
    Some(words.into_iter().map(|word| String::from_utf8_lossy(&word).into_owned()).collect())
}

#[test]
fn lines_are_split_as_redis_splits_them() {
    assert_eq!(words("#!lua name=a").unwrap(), ["#!lua", "name=a"]);
    assert_eq!(words("  a\tb  ").unwrap(), ["a", "b"]);
    assert_eq!(words(r#"name="a b\x41\n\q" 'it\'s'"#).unwrap(), ["name=a bA\nq", "it's"]);
    assert_eq!(words(""), Some(Vec::new()));
    for wrong in ["\"a", "'a", "\"a\"b", "\"a\\"] {
        assert_eq!(words(wrong), None, "{wrong}");
    }
}

#[test]
fn a_library_has_a_name_and_the_rest_of_its_text() {
    assert_eq!(library(b"#!lua NAME=one\nx"), Ok(("one".to_owned(), &b"\nx"[..])));
    assert_eq!(library(b"#!lua\0 name=one\nx"), Err("ERR Invalid library metadata".to_owned()));
}

#[test]
fn any_line_is_split_without_a_panic() {
    arbtest::arbtest(|draw| {
        let line: Vec<u8> = draw
            .arbitrary_iter::<u8>()?
            .map(|byte| byte.map(|byte| b"\"'\\x4 \tan=".get(usize::from(byte % 32)).copied().unwrap_or(byte)))
            .collect::<Result<_, _>>()?;
        split(&line);
        drop(script(&line));
        drop(library(&[b"#!lua ", &line[..], b"\n"].concat()));
        Ok(())
    });
}
