//! The guide's code blocks, compiled and run with the documentation tests.

macro_rules! chapters {
    ($($name:ident: $file:literal),* $(,)?) => {
        $(#[doc = include_str!(concat!("../../../docs/guide/", $file))]
        mod $name {})*
    };
}

chapters! {
    arx: "migrate/arx.md",
    cookbook: "cookbook.md",
    mpyc: "migrate/mpyc.md",
    opendp: "migrate/opendp.md",
    phe: "migrate/phe.md",
    presidio: "migrate/presidio.md",
    six_steps: "six-steps.md",
}
