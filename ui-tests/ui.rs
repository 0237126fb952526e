//! Compiles the programs below `pass/` and `fail/`.

#[test]
fn ui() {
    let tests = trybuild::TestCases::new();
    tests.pass("pass/*.rs");
    tests.compile_fail("fail/*/*.rs");
}
