//! Fixed byte streams for what random requests do not reach: inline commands, frames cut anywhere, long pipelines, and
//! frames that break the protocol, where the error text and the close of the connection count.

use std::time::Duration;

use crate::server::Server;
use crate::wire::show;

/// Ends what a script sends, so that its reader knows when all replies are there.
const END: &[u8] = b"*2\r\n$4\r\nECHO\r\n$14\r\nend-of-script!\r\n";
const END_REPLY: &[u8] = b"$14\r\nend-of-script!\r\n";

/// Bytes, sent chunk by chunk on one new connection to an empty server.
pub(super) struct Script {
    name: &'static str,
    chunks: Vec<Vec<u8>>,
}

/// What came back, and whether the server closed the connection.
#[derive(Debug, PartialEq)]
pub(super) struct Outcome {
    replies: Vec<u8>,
    closed: bool,
}

/// Plays a script on an emptied server.
pub(super) fn play(server: &Server, script: &Script) -> Outcome {
    server.connect().call(&[b"FLUSHALL"]).unwrap();
    let mut wire = server.connect();
    let mut chunks = script.chunks.clone();
    // One send with the last chunk: bytes that arrive after the server has closed would turn its close into a reset.
    chunks.last_mut().unwrap().extend_from_slice(END);
    for (number, chunk) in chunks.iter().enumerate() {
        if number > 0 {
            // Not a wait for anything: it makes it likely that the chunks arrive apart.
            std::thread::sleep(Duration::from_millis(1));
        }
        if wire.send(chunk).is_err() {
            break;
        }
    }
    let (replies, closed) =
        wire.read_until(END_REPLY).unwrap_or_else(|error| panic!("script \"{}\": {error}", script.name));
    Outcome { replies, closed }
}

pub(super) fn describe(script: &Script, peers: &Outcome, ours: &Outcome) -> String {
    let side =
        |outcome: &Outcome| format!("{}{}", show(&outcome.replies), if outcome.closed { " (closed)" } else { "" });
    let sent = show(&script.chunks.concat());
    format!("script \"{}\"\n  sent:   {sent}\n  redis:  {}\n  ennead: {}\n", script.name, side(peers), side(ours))
}

pub(super) fn scripts() -> Vec<Script> {
    let mut scripts = inline();
    scripts.extend(frames());
    scripts.extend(broken());
    scripts.extend(sessions());
    scripts
}

fn one(name: &'static str, bytes: &[u8]) -> Script {
    Script { name, chunks: vec![bytes.to_vec()] }
}

fn byte_by_byte(name: &'static str, bytes: &[u8]) -> Script {
    Script { name, chunks: bytes.iter().map(|byte| vec![*byte]).collect() }
}

fn inline() -> Vec<Script> {
    vec![
        one("inline ping", b"PING\r\n"),
        one("inline ping, bare newline", b"PING\n"),
        one("inline with blanks around", b"   SET   a    1  \r\nGET a\r\n"),
        one("empty lines are skipped", b"\r\n\r\n\n  \r\nPING\r\n"),
        one("inline, double quotes and escapes", b"SET a \"x\\r\\n\\x41\\\"y\"\r\nGET a\r\n"),
        one("inline, single quotes", b"SET a 'it\\'s \\n'\r\nGET a\r\n"),
        one("inline, empty quotes", b"SET a \"\"\r\nGET a\r\nECHO ''\r\n"),
        one("inline, unbalanced quotes", b"SET a \"abc\r\n"),
        one("inline, text after a quote", b"SET a \"abc\"d\r\n"),
        one("inline, tabs", b"SET\ta\t1\r\n"),
        one("inline, binary", b"SET a \x80\xff\r\nGET a\r\n"),
        one("inline, unknown command", b"FOO bar\r\n"),
        one("inline among frames", b"*1\r\n$4\r\nPING\r\nPING\r\n*1\r\n$4\r\nPING\r\n"),
        one("inline HTTP GET", b"GET / HTTP/1.1\r\n\r\n"),
        one("inline POST closes", b"POST / HTTP/1.1\r\nHost: x\r\n\r\n"),
        one("inline Host: closes", b"Host: example.org\r\n\r\n"),
        byte_by_byte("inline, byte by byte", b"SET a 'b c'\r\nGET a\r\n"),
        one("inline, 200 KB without a newline", &[b'a'; 200_000]),
    ]
}

fn frames() -> Vec<Script> {
    let set = b"*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nv\r\nal\r\n*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n";
    let pipeline: Vec<u8> = (0..2000)
        .flat_map(|number| {
            format!(
                "*3\r\n$3\r\nSET\r\n$1\r\na\r\n${}\r\n{number}\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n",
                number.to_string().len()
            )
            .into_bytes()
        })
        .collect();
    let big = |length: usize| {
        let mut bytes = format!("*3\r\n$3\r\nSET\r\n$1\r\na\r\n${length}\r\n").into_bytes();
        bytes.resize(bytes.len() + length, b'v');
        bytes.extend_from_slice(b"\r\n*2\r\n$6\r\nSTRLEN\r\n$1\r\na\r\n");
        bytes
    };
    let chunked = |bytes: &[u8], size: usize| bytes.chunks(size).map(<[u8]>::to_vec).collect();
    vec![
        one("frames", set),
        byte_by_byte("frames, byte by byte", set),
        one("a long pipeline", &pipeline),
        Script { name: "a long pipeline, in odd chunks", chunks: chunked(&pipeline, 1021) },
        one("a value of 1 MB", &big(1 << 20)),
        Script { name: "a value of 100 KB, in small chunks", chunks: chunked(&big(100 << 10), 1500) },
        one(
            "values around the sizes of buffers",
            &[16383, 16384, 16385, 32767, 32768, 32769, 65535, 65536].map(big).concat(),
        ),
        one("an empty array is skipped", b"*0\r\n*1\r\n$4\r\nPING\r\n"),
        one("a negative array is skipped", b"*-1\r\n*-10\r\n*1\r\n$4\r\nPING\r\n"),
        one("an empty command name", b"*1\r\n$0\r\n\r\n"),
        one("an unknown command with odd arguments", b"*3\r\n$3\r\nfoo\r\n$2\r\n\x01\x7f\r\n$3\r\na\r\n\r\n"),
        one(
            "an unknown command with long arguments",
            &[b"*2\r\n$3\r\nfoo\r\n$300\r\n".as_slice(), &[b'x'; 300], b"\r\n"].concat(),
        ),
        one(
            "an unknown command with many arguments",
            &[b"*40\r\n$3\r\nfoo\r\n".as_slice(), &b"$8\r\nargument\r\n".repeat(39)].concat(),
        ),
        one("a command name of 200 bytes", &[b"*1\r\n$200\r\n".as_slice(), &[b'n'; 200], b"\r\n"].concat()),
        one("MGET of 1,000 keys", &[b"*1001\r\n$4\r\nMGET\r\n".as_slice(), &b"$1\r\na\r\n".repeat(1000)].concat()),
    ]
}

fn broken() -> Vec<Script> {
    vec![
        one("a word in place of a bulk", b"*1\r\nPING\r\n"),
        one("an integer in place of a bulk", b"*2\r\n$4\r\nECHO\r\n:1\r\n"),
        one("an array within an array", b"*2\r\n$4\r\nECHO\r\n*1\r\n"),
        one("an array of no number", b"*abc\r\n"),
        one("an array of an empty number", b"*\r\n"),
        one("an array with a sign", b"*+1\r\n$4\r\nPING\r\n"),
        one("an array with a leading zero", b"*01\r\n$4\r\nPING\r\n"),
        one("an array with a blank", b"* 1\r\n$4\r\nPING\r\n"),
        one("an array over the limit", b"*1048577\r\n"),
        one("an array of 2^31", b"*2147483648\r\n"),
        one("an array of 2^64", b"*18446744073709551616\r\n"),
        one("a bulk of no number", b"*1\r\n$abc\r\n"),
        one("a bulk of an empty number", b"*1\r\n$\r\n"),
        one("a bulk of a negative length", b"*1\r\n$-1\r\n"),
        one("a bulk over 512 MB", b"*2\r\n$3\r\nGET\r\n$536870913\r\n"),
        one("a bulk of 2^63", b"*1\r\n$9223372036854775808\r\n"),
        one("a bulk with a sign", b"*1\r\n$+4\r\nPING\r\n"),
        one("a bulk with a leading zero", b"*1\r\n$04\r\nPING\r\n"),
        one(
            "good requests before a broken one are answered",
            b"*1\r\n$4\r\nPING\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n*1\r\nfoo\r\n*1\r\n$4\r\nPING\r\n",
        ),
        byte_by_byte("a broken frame, byte by byte", b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n"),
        one("a count without an end", &[b"*".as_slice(), &[b'1'; 200_000]].concat()),
        one("a length without an end", &[b"*1\r\n$".as_slice(), &[b'1'; 200_000]].concat()),
        one("bytes of no protocol", b"\x16\x03\x01\x02\x01|\x03\x03\r\n"),
        one("a wrong end of a bulk is not looked at", b"*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n"),
    ]
}

fn sessions() -> Vec<Script> {
    vec![
        one("QUIT answers, then closes", b"PING\r\nQUIT\r\nPING\r\n"),
        one("RESET leaves database and name", b"CLIENT SETNAME me\r\nSELECT 3\r\nSET a 1\r\nRESET\r\nGET a\r\nCLIENT GETNAME\r\nDBSIZE\r\n"),
        one("CLIENT REPLY OFF and ON", b"CLIENT REPLY OFF\r\nPING\r\nSET a 1\r\nCLIENT REPLY ON\r\nGET a\r\n"),
        one("CLIENT REPLY SKIP", b"CLIENT REPLY SKIP\r\nPING\r\nPING x\r\n"),
        one("CLIENT REPLY SKIP, errors too", b"CLIENT REPLY SKIP\r\nFOO\r\nPING x\r\n"),
        one("a user's error keeps the connection", b"GET\r\nFOO\r\nINCR a b\r\nSET a x\r\nINCR a\r\nPING\r\n"),
        one("databases are of the connection", b"SELECT 5\r\nSET a 1\r\nDBSIZE\r\nSELECT 6\r\nDBSIZE\r\nSWAPDB 5 6\r\nDBSIZE\r\nGET a\r\n"),
        one("COPY and MOVE between databases", b"SET a 1\r\nEXPIRE a 0 XX\r\nCOPY a b DB 3\r\nMOVE a 3\r\nDBSIZE\r\nSELECT 3\r\nMGET a b\r\n"),
        one("expiry options", b"SET a 1\r\nEXPIRE a 100 XX\r\nEXPIRE a 100 GT\r\nEXPIRE a 100 LT\r\nEXPIRE a 200 NX\r\nEXPIRE a 200 GT\r\nEXPIRE a 300 LT\r\nEXPIRE a 100 NX GT\r\nEXPIRE a 100 GT LT\r\nEXPIRE a -1\r\nEXISTS a\r\n"),
        one("SETRANGE past the limit", b"SETRANGE a 536870911 xx\r\nSETRANGE a 0 x\r\nSETRANGE b 10 ''\r\nEXISTS b\r\n"),
        one("numbers at their ends", b"SET a 9223372036854775807\r\nINCR a\r\nDECRBY a -1\r\nSET a -9223372036854775808\r\nDECR a\r\nDECRBY a -9223372036854775808\r\nINCRBY a 9223372036854775807\r\nGET a\r\n"),
        one("INCRBYFLOAT", b"SET a 10.50\r\nINCRBYFLOAT a 0.1\r\nINCRBYFLOAT a -5\r\nSET a 5.0e3\r\nINCRBYFLOAT a 2.0e2\r\nINCRBYFLOAT a 1e400\r\nINCRBYFLOAT n 0.1\r\nINCRBYFLOAT n 0.2\r\nINCRBYFLOAT n 1e17\r\nINCRBYFLOAT n 1e30\r\nINCRBYFLOAT t 0.00001\r\nINCRBYFLOAT t 1e-17\r\nINCRBYFLOAT t 3.0\r\n"),
        one("OBJECT ENCODING", &[b"SET a 1\r\nSET b ".as_slice(), &[b'x'; 44], b"\r\nSET c ", &[b'x'; 45], b"\r\nSET d 9223372036854775807\r\nSET e 01\r\nOBJECT ENCODING a\r\nOBJECT ENCODING b\r\nOBJECT ENCODING c\r\nOBJECT ENCODING d\r\nOBJECT ENCODING e\r\nAPPEND a 2\r\nOBJECT ENCODING a\r\nINCR a\r\nOBJECT ENCODING a\r\nSETRANGE a 0 7\r\nOBJECT ENCODING a\r\n"].concat()),
        one("LCS", b"MSET a ohmytext b mynewtext\r\nLCS a b\r\nLCS a b LEN\r\nLCS a b IDX\r\nLCS a b IDX MINMATCHLEN 4\r\nLCS a b IDX MINMATCHLEN 4 WITHMATCHLEN\r\nLCS a b LEN IDX\r\nLCS a nokey\r\n"),
        one("LCS in RESP3", b"MSET a ohmytext b mynewtext\r\nHELLO 3 bogus\r\nLCS a b IDX WITHMATCHLEN\r\n"),
        one("bitmaps", b"SETBIT a 7 1\r\nSETBIT a 100 1\r\nGETBIT a 7\r\nSTRLEN a\r\nBITCOUNT a\r\nBITCOUNT a 1 -1\r\nBITCOUNT a 8 -1 BIT\r\nBITPOS a 1 1\r\nBITPOS a 0 0 -1 BIT\r\nSETBIT b 4000000 1\r\nBITOP XOR c a b\r\nBITCOUNT c\r\nBITPOS c 1 13\r\nBITFIELD b SET u16 #100 65535 INCRBY u16 #100 1 OVERFLOW SAT INCRBY i5 3999999 20 GET i8 #0\r\nBITOP NOT d a\r\nGET d\r\nDUMP a\r\nOBJECT ENCODING a\r\nSETBIT a 4294967295 2\r\n"),
        one("a HyperLogLog grows dense at the setting", b"CONFIG SET hll-sparse-max-bytes 40\r\nPFADD h a b c\r\nPFDEBUG ENCODING h\r\nGET h\r\nPFADD h d e f g i j k l m\r\nPFDEBUG ENCODING h\r\nPFCOUNT h\r\nGET h\r\nCONFIG SET hll-sparse-max-bytes 3000\r\nCONFIG GET hll-sparse-max-bytes\r\nPFADD s a b c z\r\nPFMERGE s h\r\nGET s\r\nPFCOUNT s h\r\nPFADD r a b c\r\nPFDEBUG GETREG r\r\nPFDEBUG GETREG h\r\nGET r\r\nPFSELFTEST\r\n"),
        one("SWAPDB in a transaction", b"SET a 1\r\nSELECT 1\r\nSET b 2\r\nMULTI\r\nSWAPDB 0 1\r\nGET a\r\nSET c 3\r\nCOPY a a DB 0\r\nMOVE a 1\r\nDBSIZE\r\nSWAPDB 0 x\r\nSWAPDB 0 99\r\nEXEC\r\nDBSIZE\r\nGET a\r\nSELECT 0\r\nMGET a b c\r\n"),
        one("CONFIG SET of several is all or nothing", b"CONFIG SET slowlog-max-len 77 maxmemory-samples 9\r\nCONFIG SET slowlog-max-len 5 maxmemory-samples many\r\nCONFIG GET slowlog-max-len\r\nCONFIG SET maxmemory-samples 6 databases 3\r\nCONFIG SET maxmemory-samples 7 nosuchsetting 1\r\nCONFIG GET maxmemory-samples\r\nCONFIG SET slowlog-max-len 128 maxmemory-samples 5\r\n"),
        one("DEBUG RELOAD keeps everything", b"SET a 1\r\nSET b 2 EX 1000\r\nAPPEND a x\r\nDEBUG RELOAD\r\nMGET a b\r\nTTL b\r\nDBSIZE\r\nDEL a\r\nDEBUG RELOAD\r\nDBSIZE\r\nOBJECT ENCODING b\r\n"),
        one("LPOS", b"RPUSH l a b c 1 2 3 c c\r\nLPOS l c\r\nLPOS l c RANK 2\r\nLPOS l c RANK -1\r\nLPOS l c COUNT 2\r\nLPOS l c RANK -1 COUNT 2\r\nLPOS l c COUNT 0 MAXLEN 3\r\nLPOS l c RANK 0\r\nLPOS l c COUNT -1\r\nLPOS l c MAXLEN -1\r\nLPOS l c MAXLEN x\r\nLPOS l c RANK\r\nLPOS l c RANK x\r\nLPOS l c RANK 9223372036854775807 COUNT 0\r\nLPOS l nothing COUNT 0\r\nLPOS nokey c COUNT 0\r\nLPOS nokey c\r\n"),
        one("LMPOP", b"RPUSH l 1 2 3 4 5\r\nLMPOP 2 nokey l LEFT\r\nLMPOP 1 l RIGHT COUNT 2\r\nLMPOP 0 l LEFT\r\nLMPOP x l LEFT\r\nLMPOP 2 l LEFT\r\nLMPOP 1 l LEFT COUNT 0\r\nLMPOP 1 l LEFT COUNT x\r\nLMPOP 1 l LEFT COUNT\r\nLMPOP 1 l LEFT COUNT 1 COUNT 1\r\nLMPOP 1 l up\r\nLMPOP 9223372036854775807 l LEFT\r\nLMPOP 1 l LEFT COUNT 100\r\nLMPOP 1 l LEFT\r\n"),
        one("errors of list commands come in Redis's order", b"SET s x\r\nLPOP s x\r\nLPOP s -1\r\nLPOP nokey 0\r\nLPOP s\r\nLPOP a 1 2\r\nLINDEX s x\r\nLINDEX nokey x\r\nLSET nokey x y\r\nLSET s x y\r\nLRANGE s x 1\r\nLRANGE nokey 0 x\r\nLTRIM s x 1\r\nLREM s x y\r\nLINSERT s up y z\r\nLINSERT nokey AFTER y z\r\nLMOVE nokey s LEFT LEFT\r\nLMOVE s nokey LEFT up\r\nRPUSH l a\r\nLMOVE l s LEFT LEFT\r\nLSET l 1 x\r\nLSET l -2 x\r\nLRANGE l 0 -1\r\n"),
        one("waiting ends in time, and requests behind it are answered then", b"BLPOP nokey 0.01\r\nBRPOP nokey other 0.01\r\nPING\r\nBLMOVE nokey b LEFT LEFT 0.01\r\nBRPOPLPUSH nokey b 0.01\r\nBLMPOP 0.01 1 nokey LEFT\r\nRPUSH l a b c d\r\nBLPOP nokey l 0\r\nBLMOVE l l LEFT RIGHT 0\r\nBRPOPLPUSH l m 0\r\nBLMPOP 0 2 nokey l RIGHT COUNT 5\r\nLRANGE m 0 -1\r\n"),
        one("errors of commands that wait", b"BLPOP nokey x\r\nBLPOP nokey -1\r\nBLPOP nokey nan\r\nBLMOVE nokey b LEFT up x\r\nBLMPOP x 0 a LEFT\r\nBLMPOP x 1 a LEFT\r\nBLMPOP -1 1 a LEFT\r\nSET s x\r\nBLPOP nokey s 0\r\nBLMOVE s l LEFT LEFT 0\r\nBRPOPLPUSH s l x\r\nBLPOP nokey\r\n"),
        one("nobody waits in a transaction", b"MULTI\r\nBLPOP nokey 0\r\nBRPOP a b 0\r\nBLMOVE nokey b LEFT LEFT 0\r\nBRPOPLPUSH nokey b 0\r\nBLMPOP 0 1 nokey LEFT\r\nEXEC\r\n"),
        one("keys of list commands", b"COMMAND GETKEYS BLPOP a b 0\r\nCOMMAND GETKEYS BLMPOP 0 2 a b LEFT\r\nCOMMAND GETKEYS LMPOP 1 a LEFT\r\nCOMMAND GETKEYS BLMOVE a b LEFT LEFT 0\r\n"),
        one("a server is no replica", b"REPLICAOF NO ONE\r\nSLAVEOF no one\r\nREPLICAOF localhost x\r\nSLAVEOF localhost 65536\r\nREPLICAOF localhost\r\nROLE\r\nWAIT 1 10\r\nWAIT 0 0\r\nWAIT -1 0\r\nWAIT 0 x\r\nWAIT 0 -1\r\nWAIT x 0\r\nMULTI\r\nWAIT 1 0\r\nEXEC\r\nFAILOVER TO localhost 1 TIMEOUT 5 FORCE\r\nPSYNC ? -1 FAILOVER\r\nPSYNC ?\r\nSYNC x\r\nMULTI\r\nSYNC\r\nEXEC\r\nREPLCONF ack 1\r\nREPLCONF getack *\r\nREPLCONF rdb-filter-only \"functions keys\"\r\nPING\r\n"),
        one("AUTH without a password set", b"AUTH x\r\nAUTH default x\r\nAUTH nobody x\r\nAUTH a b c\r\n"),
    ]
}
