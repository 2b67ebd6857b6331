use crate::probe::Probe;

#[test]
fn elements_are_sorted_as_in_redis() {
    let mut probe = Probe::new();
    probe.check(
        r#"
        RPUSH l 3 1 2 10 -> (4)
        SORT l -> ["1" "2" "3" "10"]
        SORT l DESC -> ["10" "3" "2" "1"]
        SORT l ALPHA -> ["1" "10" "2" "3"]
        SORT l LIMIT 1 2 -> ["2" "3"]
        SORT l LIMIT -5 1 -> ["1"]
        SORT l LIMIT 9 1 -> []
        SORT l LIMIT 1 x -> -ERR value is not an integer or out of range
        SORT l LIMIT 1 -> -ERR syntax error
        SORT l STORE -> -ERR syntax error
        SORT_RO l STORE other -> -ERR syntax error
        SORT l ASC DESC ASC -> ["1" "2" "3" "10"]
        SORT none -> []
        SORT l BY none DESC -> ["10" "2" "1" "3"]
        ZADD z 1 c 2 b 3 a -> (3)
        OBJECT ENCODING z -> "listpack"
        SORT z ALPHA -> ["a" "b" "c"]
        OBJECT ENCODING z -> "skiplist"
        SORT z BY none LIMIT 0 2 -> ["c" "b"]
        SORT z BY none DESC LIMIT 0 2 -> ["a" "b"]
        SORT z -> -ERR One or more scores can't be converted into double
        SADD s b a c -> (3)
        SORT s BY none -> ["a" "b" "c"]
        SET str x -> OK
        SORT str -> -WRONGTYPE Operation against a key holding the wrong kind of value
        SORT_RO l -> ["1" "2" "3" "10"]
        "#,
    );
}

#[test]
fn other_keys_are_looked_up() {
    let mut probe = Probe::new();
    probe.check(
        r#"
        RPUSH l a b c -> (3)
        MSET w_a 3 w_b 1 name_a Anna name_b Bert -> OK
        HSET h_a w 1 n eins -> (2)
        HSET h_b w 2 -> (1)
        SORT l BY w_* -> ["c" "b" "a"]
        SORT l BY h_*->w DESC -> ["b" "a" "c"]
        SORT l BY w_* ALPHA GET # GET name_* GET h_*->n GET none -> ["c" nil nil nil "b" "Bert" nil nil "a" "Anna" "eins" nil]
        SORT l BY w_*-> -> ["a" "b" "c"]
        SORT l BY name_* -> -ERR One or more scores can't be converted into double
        SORT l BY w_* GET name_* STORE l -> (3)
        LRANGE l 0 -1 -> ["" "Bert" "Anna"]
        EXPIRE l 100 -> (1)
        SORT l ALPHA DESC STORE l -> (3)
        TTL l -> (-1)
        LRANGE l 0 -1 -> ["Bert" "Anna" ""]
        SORT none STORE l -> (0)
        EXISTS l -> (0)
        "#,
    );
}
