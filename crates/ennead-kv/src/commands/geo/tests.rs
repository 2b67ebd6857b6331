use crate::probe::Probe;

#[test]
fn places_answer_as_in_redis() {
    let mut probe = Probe::new();
    probe.check(
        r#"
        GEOADD Sicily 13.361389 38.115556 Palermo 15.087269 37.502669 Catania -> (2)
        GEOADD Sicily NX 1 1 Palermo -> (0)
        GEOADD Sicily XX CH 13.583333 37.316667 Agrigento -> (0)
        GEODIST Sicily Palermo Catania -> "166274.1516"
        GEODIST Sicily Palermo Catania km -> "166.2742"
        GEODIST Sicily Palermo Catania mi -> "103.3182"
        GEODIST Sicily Palermo Nowhere -> nil
        GEODIST Sicily Palermo Catania parsec -> -ERR unsupported unit provided. please use M, KM, FT, MI
        GEOHASH Sicily Palermo Catania x -> ["sqc8b49rny0" "sqdtr74hyu0" nil]
        GEOPOS Sicily x -> [nil[]]
        ZSCORE Sicily Palermo -> 3479099956230698
        GEORADIUS Sicily 15 37 100 km -> ["Catania"]
        GEORADIUS Sicily 15 37 200 km WITHDIST -> [["Palermo" "190.4424"] ["Catania" "56.4413"]]
        GEORADIUS_RO Sicily 15 37 200 km WITHDIST WITHHASH ASC -> [["Catania" "56.4413" (3479447370796909)] ["Palermo" "190.4424" (3479099956230698)]]
        GEORADIUS_RO Sicily 15 37 200 km STORE x -> -ERR syntax error
        GEORADIUSBYMEMBER Sicily Palermo 200 km COUNT 1 -> ["Palermo"]
        GEORADIUSBYMEMBER Sicily Nowhere 200 km -> -ERR could not decode requested zset member
        GEORADIUSBYMEMBER none Nowhere x y -> []
        GEORADIUS Sicily 15 37 200 km STOREDIST out -> (2)
        ZRANGE out 0 -1 -> ["Catania" "Palermo"]
        GEORADIUS Sicily 15 37 200 km STORE out WITHDIST -> -ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options
        GEOSEARCH Sicily FROMLONLAT 15 37 BYBOX 400 400 km ASC COUNT 3 -> ["Catania" "Palermo"]
        GEOSEARCH Sicily FROMMEMBER Palermo BYRADIUS 1 m -> ["Palermo"]
        GEOSEARCH Sicily FROMMEMBER Palermo BYRADIUS 1 m ANY -> -ERR the ANY argument requires COUNT argument
        GEOSEARCH Sicily FROMMEMBER Palermo ASC ASC ASC -> -ERR exactly one of BYRADIUS and BYBOX can be specified for GEOSEARCH
        geosearch Sicily BYBOX 1 1 m ASC ASC -> -ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for geosearch
        GEOSEARCH Sicily FROMMEMBER Palermo BYRADIUS 1 m BYBOX 1 1 m -> -ERR syntax error
        GEOSEARCHSTORE out Sicily FROMLONLAT 15 37 BYRADIUS 100 km -> (1)
        ZSCORE out Catania -> 3479447370796909
        GEOSEARCHSTORE out none FROMLONLAT 15 37 BYRADIUS 100 km -> (0)
        EXISTS out -> (0)
        GEOADD Sicily 200 10 x -> -ERR invalid longitude,latitude pair 200.000000,10.000000
        GEOADD Sicily 20 10 -> -ERR wrong number of arguments for 'geoadd' command
        GEOADD Sicily NX XX 20 10 x -> -ERR syntax error
        "#,
    );
}
