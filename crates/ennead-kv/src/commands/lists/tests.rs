use crate::place::next_random;
use crate::probe::Probe;

#[test]
fn lists_answer_as_in_redis() {
    let mut probe = Probe::new();
    probe.check(
        r#"
        RPUSH l a b c -> (3)
        LPUSH l z y -> (5)
        LRANGE l 0 -1 -> ["y" "z" "a" "b" "c"]
        LRANGE l -2 100 -> ["b" "c"]
        LRANGE l 3 1 -> []
        LINDEX l -1 -> "c"
        LINDEX l 5 -> nil
        LINSERT l BEFORE a x -> (6)
        LINSERT l AFTER c x -> (7)
        LINSERT l AFTER missing x -> (-1)
        LPOS l x -> (2)
        LPOS l x RANK -1 -> (6)
        LPOS l x COUNT 0 -> [(2) (6)]
        LREM l -1 x -> (1)
        LSET l 0 first -> OK
        LTRIM l 0 3 -> OK
        LRANGE l 0 -1 -> ["first" "z" "x" "a"]
        RPOP l -> "a"
        LPOP l 2 -> ["first" "z"]
        LMOVE l m LEFT RIGHT -> "x"
        EXISTS l -> (0)
        RPOPLPUSH m m -> "x"
        LMPOP 2 l m LEFT COUNT 5 -> ["m" ["x"]]
        LMPOP 2 l m LEFT -> nil[]
        LPOP l 2 -> nil[]
        LPUSHX l a -> (0)
        LSET l 0 a -> -ERR no such key
        RPUSH l a -> (1)
        LSET l 1 a -> -ERR index out of range
        OBJECT ENCODING l -> "listpack"
        "#,
    );
}

#[test]
fn long_lists_are_the_same_as_a_model_and_read_back() {
    let mut probe = Probe::new();
    let mut model: Vec<String> = Vec::new();
    let mut random = 5;
    let mut draw = |below: usize| (next_random(&mut random) >> 16) as usize % below.max(1);
    for step in 0..4_000 {
        let element = format!("element:{}", draw(200));
        match draw(12) {
            0..3 => {
                model.insert(0, element.clone());
                assert_eq!(probe.run(&format!("LPUSH l {element}")), format!("({})", model.len()));
            }
            3..6 => {
                model.push(element.clone());
                assert_eq!(probe.run(&format!("RPUSH l {element}")), format!("({})", model.len()));
            }
            6 if !model.is_empty() => {
                let pivot = model[draw(model.len())].clone();
                let index = model.iter().position(|other| *other == pivot).unwrap();
                model.insert(index, element.clone());
                assert_eq!(probe.run(&format!("LINSERT l BEFORE {pivot} {element}")), format!("({})", model.len()));
            }
            7 if !model.is_empty() => {
                let index = draw(model.len());
                model[index] = element.clone();
                assert_eq!(probe.run(&format!("LSET l {index} {element}")), "OK");
            }
            8 => {
                let former = model.len();
                model.retain(|other| *other != element);
                assert_eq!(probe.run(&format!("LREM l 0 {element}")), format!("({})", former - model.len()));
            }
            9 if model.len() > 900 => {
                model.drain(..100);
                model.truncate(700);
                assert_eq!(probe.run("LTRIM l 100 799"), "OK");
            }
            10 if !model.is_empty() => assert_eq!(probe.run("LPOP l"), format!("\"{}\"", model.remove(0))),
            _ if !model.is_empty() => assert_eq!(probe.run("RPOP l"), format!("\"{}\"", model.pop().unwrap())),
            _ => {}
        }
        if step % 500 == 499 {
            if step % 1_000 == 999 {
                probe.reopen_store();
            }
            let expected: Vec<String> = model.iter().map(|element| format!("\"{element}\"")).collect();
            assert_eq!(probe.run("LRANGE l 0 -1"), format!("[{}]", expected.join(" ")));
            let index = draw(model.len());
            assert_eq!(probe.run(&format!("LINDEX l {index}")), expected[index]);
        }
    }
}
