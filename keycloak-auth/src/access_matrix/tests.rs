use super::*;
use crate::Policy;

const ADMIN: Policy = Policy::RealmRole("admin");
const CLERK: Policy = Policy::RealmRole("clerk");
const OPS: Policy = Policy::Group("/ops");

fn matrix(rows: &[(&'static str, &str, Policy)]) -> AccessMatrix {
    let row = |(method, path, policy): &(&'static str, &str, Policy)| {
        AccessRow::new(method, path, RouteKind::Handler, *policy).handled_by("orders::handler")
    };
    AccessMatrix::new(rows.iter().map(row).collect())
}

#[test]
fn a_snapshot_shows_what_a_change_means() {
    for (before, after, expected) in [
        (ADMIN, Policy::Any(&[ADMIN, CLERK]), r#"now also `realm_role("clerk")`"#),
        (
            Policy::Any(&[ADMIN, CLERK]),
            ADMIN,
            r#"no longer `realm_role("clerk")`"#,
        ),
        (
            Policy::Any(&[ADMIN, CLERK]),
            Policy::Any(&[ADMIN, OPS]),
            r#"now also `group("/ops")`, no longer `realm_role("clerk")`"#,
        ),
        (
            ADMIN,
            Policy::All(&[ADMIN, OPS]),
            r#"now also requires `group("/ops")`"#,
        ),
        (
            Policy::All(&[ADMIN, OPS]),
            OPS,
            r#"no longer requires `realm_role("admin")`"#,
        ),
        (ADMIN, CLERK, r#"was `realm_role("admin")`, is `realm_role("clerk")`"#),
        (
            Policy::Authenticated,
            Policy::Any(&[ADMIN]),
            r#"no longer everybody with a token: now `any(realm_role("admin"))`"#,
        ),
        (
            ADMIN,
            Policy::Public,
            r#"now everybody, without a token (was `realm_role("admin")`)"#,
        ),
        (
            ADMIN,
            Policy::Authenticated,
            r#"now everybody with a token (was `realm_role("admin")`)"#,
        ),
        (
            Policy::Authenticated,
            Policy::Public,
            "now everybody, also without a token",
        ),
        (
            Policy::Public,
            Policy::Authenticated,
            "still everybody, but with a token",
        ),
        (
            Policy::Public,
            ADMIN,
            r#"no longer everybody: now `realm_role("admin")`"#,
        ),
        (
            Policy::Any(&[ADMIN, CLERK]),
            Policy::Any(&[CLERK, ADMIN]),
            "written in another order, access is the same",
        ),
        (
            Policy::All(&[Policy::Any(&[ADMIN, OPS]), CLERK]),
            Policy::All(&[CLERK, Policy::Any(&[OPS, ADMIN])]),
            "written in another order, access is the same",
        ),
        // A named policy that became one of several.
        (
            Policy::Any(&[ADMIN, CLERK]),
            Policy::Any(&[Policy::Any(&[ADMIN, CLERK]), OPS]),
            r#"now also `group("/ops")`"#,
        ),
        (
            Policy::All(&[Policy::Any(&[ADMIN, OPS]), Policy::MaxAge(60)]),
            Policy::All(&[Policy::Any(&[ADMIN, OPS, CLERK]), Policy::MaxAge(60)]),
            r#"in `any(realm_role("admin"), group("/ops"))`: now also `realm_role("clerk")`"#,
        ),
        // What is below a `not` is told as a whole: whoever is added there is shut out.
        (
            Policy::All(&[ADMIN, Policy::Not(&Policy::Any(&[OPS, CLERK]))]),
            Policy::All(&[ADMIN, Policy::Not(&OPS)]),
            r#"now also requires `not(group("/ops"))`, no longer requires `not(any(group("/ops"), realm_role("clerk")))`"#,
        ),
        (
            Policy::Any(&[ADMIN, Policy::Scope("a, b)\"(")]),
            Policy::Any(&[ADMIN, Policy::Scope("a, b)\"("), Policy::All(&[OPS, CLERK])]),
            r#"now also `all(group("/ops"), realm_role("clerk"))`"#,
        ),
    ] {
        let snapshot = matrix(&[("DELETE", "/orders/{id}", before)]).to_snapshot();
        let mismatch = matrix(&[("DELETE", "/orders/{id}", after)])
            .compare_with_snapshot(&snapshot)
            .expect_err("they differ");
        assert_eq!(
            mismatch.changes(),
            [format!("`DELETE /orders/{{id}}`: {expected}")],
            "{before} -> {after}"
        );
    }
}

#[test]
fn a_snapshot_shows_what_is_new_gone_and_not_enforced() {
    let before = matrix(&[("GET", "/old", ADMIN), ("GET", "/same", OPS)]);
    let after = matrix(&[("GET", "/new", CLERK), ("GET", "/same", OPS)]);
    assert_eq!(before.compare_with_snapshot(&before.to_snapshot()), Ok(()));
    let mismatch = after
        .compare_with_snapshot(&before.to_snapshot())
        .expect_err("they differ");
    assert_eq!(
        mismatch.changes(),
        [
            r#"new route `GET /new`: `realm_role("clerk")`"#,
            r#"removed `GET /old`: was `realm_role("admin")`"#
        ]
    );
    let mut reporting = before.clone();
    reporting.rows[0].set_report_only();
    let mismatch = reporting
        .compare_with_snapshot(&before.to_snapshot())
        .expect_err("they differ");
    assert_eq!(
        mismatch.changes(),
        [r#"`GET /old`: was `realm_role("admin")`, is `realm_role("admin") [report only: NOT enforced]`"#]
    );
}

const REALM: &str = r#"{"realm": "acme",
    "roles": {"realm": [{"name": "admin"}, {"name": "clerk", "composites": {"realm": []}}]},
    "groups": [{"name": "ops"}],
    "users": [
        {"username": "bob", "enabled": true, "realmRoles": ["clerk"]},
        {"username": "alice", "enabled": true, "realmRoles": ["admin"]},
        {"username": "olga", "enabled": true, "groups": ["/ops"]}
    ]}"#;

#[test]
fn a_snapshot_for_a_realm_says_who_may() {
    const CONDITION: Policy = Policy::All(&[OPS, Policy::MaxAge(300)]);
    let matrix = matrix(&[
        ("GET", "/health", Policy::Public),
        ("GET", "/me", Policy::Authenticated),
        ("DELETE", "/orders/{id}", Policy::Any(&[ADMIN, CONDITION])),
        ("GET", "/robots", Policy::RealmRole("robot")),
    ]);
    let matrix = matrix.for_realm(REALM, "orders-api").expect("a realm file");
    assert_eq!(
        matrix.to_snapshot(),
        r#"GET /health public
GET /me authenticated
DELETE /orders/{id} any(realm_role("admin"), all(group("/ops"), max_age(300)))
  allow realm role "admin"
  depends group "/ops"
  allow user "alice"
  depends user "olga"
GET /robots realm_role("robot")
  nobody
"#
    );
    assert_eq!(matrix.compare_with_snapshot(&matrix.to_snapshot()), Ok(()));
    assert_eq!(
        matrix.compare_with_snapshot(&matrix.to_snapshot().replace('\n', "\r\n")),
        Ok(())
    );
}

#[test]
fn a_snapshot_shows_who_gains_and_who_loses_by_a_changed_realm() {
    const CONDITION: Policy = Policy::All(&[Policy::RealmRole("clerk"), Policy::MaxAge(300)]);
    for (policy, edits, expected) in [
        (
            ADMIN,
            &[(r#"{"realm": []}"#, r#"{"realm": ["admin"]}"#)][..],
            &["now also realm role `clerk`, user `bob`"][..],
        ),
        (
            Policy::Any(&[ADMIN, CLERK]),
            &[("olga", "otto"), (r#""realmRoles": ["clerk"]"#, r#""realmRoles": []"#)],
            &["no longer user `bob`"],
        ),
        (
            Policy::Any(&[ADMIN, CONDITION]),
            &[(r#""groups": ["/ops"]"#, r#""realmRoles": ["clerk"]"#)],
            &["now also, as far as more than roles and groups is met, user `olga`"],
        ),
        (
            Policy::RealmRole("robot"),
            &[
                ("alice", "zoe"),
                (r#""name": "ops""#, r#""name": "ops", "realmRoles": ["robot"]"#),
            ],
            &["now also group `/ops`, user `olga`"],
        ),
        // Everybody may, so nobody is named.
        (Policy::Authenticated, &[("alice", "zoe")], &[]),
    ] {
        let matrix = matrix(&[("DELETE", "/orders/{id}", policy)]);
        let before = matrix.clone().for_realm(REALM, "orders-api").expect("a realm file");
        let changed = edits
            .iter()
            .fold(REALM.to_owned(), |file, (from, to)| file.replace(from, to));
        let after = matrix.for_realm(&changed, "orders-api").expect("a realm file");
        let changes = after.compare_with_snapshot(&before.to_snapshot());
        let changes = changes
            .err()
            .map(|mismatch| mismatch.changes().to_vec())
            .unwrap_or_default();
        let expected: Vec<_> = expected
            .iter()
            .map(|text| format!("`DELETE /orders/{{id}}`: {text}"))
            .collect();
        assert_eq!(changes, expected, "{changed}");
    }
}

#[test]
fn a_snapshot_shows_what_a_changed_policy_means_for_the_realm() {
    let for_realm = |policy| {
        let matrix = matrix(&[("DELETE", "/orders/{id}", policy)]);
        matrix.for_realm(REALM, "orders-api").expect("a realm file")
    };
    const FRESH: Policy = Policy::All(&[ADMIN, Policy::MaxAge(300)]);
    for (before, after, expected) in [
        (
            ADMIN,
            Policy::Any(&[ADMIN, CLERK]),
            &[
                r#"now also `realm_role("clerk")`"#,
                "now also realm role `clerk`, user `bob`",
            ][..],
        ),
        (
            ADMIN,
            FRESH,
            &[
                "now also requires `max_age(300)`",
                "only as far as more than roles and groups is met: realm role `admin`, user `alice`",
            ],
        ),
        (
            FRESH,
            ADMIN,
            &[
                "no longer requires `max_age(300)`",
                "now in any case realm role `admin`, user `alice`",
            ],
        ),
        // The sentence about everybody says it all.
        (
            Policy::Authenticated,
            ADMIN,
            &[r#"no longer everybody with a token: now `realm_role("admin")`"#],
        ),
        (
            ADMIN,
            Policy::Public,
            &[r#"now everybody, without a token (was `realm_role("admin")`)"#],
        ),
    ] {
        let mismatch = for_realm(after).compare_with_snapshot(&for_realm(before).to_snapshot());
        let expected: Vec<_> = expected
            .iter()
            .map(|text| format!("`DELETE /orders/{{id}}`: {text}"))
            .collect();
        assert_eq!(
            mismatch.expect_err("they differ").changes(),
            expected,
            "{before} -> {after}"
        );
    }
}

#[test]
fn a_snapshot_with_and_one_without_a_realm_are_told_apart() {
    let without = matrix(&[("GET", "/orders", ADMIN), ("GET", "/ops", OPS)]);
    let with = without.clone().for_realm(REALM, "orders-api").expect("a realm file");
    for (now, before, expected) in [
        (
            &with,
            &without,
            "the snapshot does not say who may: it was written without the roles, groups and users that are listed now",
        ),
        (
            &without,
            &with,
            "the snapshot says who may: it was written with `for_realm` or `for_subjects`, which is not called now",
        ),
    ] {
        let mismatch = now
            .compare_with_snapshot(&before.to_snapshot())
            .expect_err("they differ");
        assert_eq!(mismatch.changes(), [expected]);
    }
}

#[test]
fn a_name_keeps_to_its_line_of_the_snapshot() {
    let evil = Subject::realm_role("x\nGET /orders public\"").with_realm_role("admin");
    let matrix = matrix(&[("GET", "/orders", ADMIN)]).for_subjects([evil]);
    assert_eq!(matrix.to_snapshot().lines().count(), 2, "{}", matrix.to_snapshot());
    assert_eq!(matrix.compare_with_snapshot(&matrix.to_snapshot()), Ok(()));
}

#[test]
fn the_page_shows_who_is_let_in_by_a_policy_that_is_only_reported() {
    let mut matrix = matrix(&[("GET", "/old", ADMIN), ("GET", "/same", OPS)]);
    let cells =
        |matrix: &AccessMatrix, class: &str| matrix.to_html().matches(&format!("<td class=\"{class}\"")).count();
    assert_eq!((cells(&matrix, "reported"), cells(&matrix, "deny")), (0, 2));
    matrix.rows[0].set_report_only();
    assert_eq!(
        (
            cells(&matrix, "allow"),
            cells(&matrix, "reported"),
            cells(&matrix, "deny")
        ),
        (2, 1, 1)
    );
    assert!(matrix.to_html().contains("○</span> it is let in although"));
}

#[test]
fn rows_are_in_the_order_of_path_and_method() {
    let matrix = matrix(&[
        (ANY_METHOD, "/b", ADMIN),
        ("DELETE", "/b", ADMIN),
        ("OPTIONS", "/b", ADMIN),
        ("GET", "/b", ADMIN),
        ("GET", "/a", ADMIN),
    ]);
    let order: Vec<_> = matrix.rows().iter().map(|row| (row.method(), row.path())).collect();
    assert_eq!(
        order,
        [
            ("GET", "/a"),
            ("GET", "/b"),
            ("DELETE", "/b"),
            ("OPTIONS", "/b"),
            ("ANY", "/b")
        ]
    );
}

#[test]
fn access_is_open_only_where_it_hinges_on_what_is_not_known() {
    const FRESH: Policy = Policy::MaxAge(60);
    let admin = Subject::realm_role("admin");
    for (policy, expected) in [
        (Policy::Public, Access::Allow),
        (Policy::Authenticated, Access::Allow),
        (ADMIN, Access::Allow),
        (CLERK, Access::Deny),
        (FRESH, Access::Depends),
        (Policy::All(&[FRESH, CLERK]), Access::Deny),
        (Policy::All(&[FRESH, ADMIN]), Access::Depends),
        (Policy::All(&[]), Access::Allow),
        (Policy::Any(&[FRESH, ADMIN]), Access::Allow),
        (Policy::Any(&[FRESH, CLERK]), Access::Depends),
        (Policy::Any(&[]), Access::Deny),
        (Policy::Not(&ADMIN), Access::Deny),
        (Policy::Not(&CLERK), Access::Allow),
        (Policy::Not(&FRESH), Access::Depends),
        (
            Policy::ClientRole {
                client: "billing",
                role: "admin",
            },
            Access::Deny,
        ),
    ] {
        assert_eq!(admin.access(&policy), expected, "{policy}");
    }
    let own = Subject::client_role("orders-api", "admin").in_service("orders-api");
    assert_eq!(own.access(&Policy::Role("admin")), Access::Allow);
    assert_eq!(own.access(&ADMIN), Access::Deny);
    let other = Subject::client_role("billing-api", "admin").in_service("orders-api");
    assert_eq!(other.access(&Policy::Role("admin")), Access::Deny);
    let oncall = Subject::group("/ops/oncall");
    assert_eq!(oncall.access(&Policy::GroupTree("/ops")), Access::Allow);
    assert_eq!(oncall.access(&OPS), Access::Deny);
}

#[test]
fn names_cannot_break_out_of_any_form() {
    let evil = "<script>|`a`\"=1";
    let matrix = matrix(&[("GET", "/x", ADMIN)]).for_subjects([Subject::realm_role(evil), Subject::group("=cmd()")]);
    let html = matrix.to_html();
    assert_eq!(html.matches("<script>").count(), 1, "only the page's own");
    assert!(html.contains("&lt;script&gt;|`a`&quot;=1"));
    let csv = matrix.to_csv();
    assert!(
        csv.starts_with("method,path,\"<script>|`a`\"\"=1\",'=cmd(),policy,handler\r\n"),
        "{csv}"
    );
    let markdown = matrix.to_markdown();
    assert!(markdown.contains("`` <script>\\|`a`\"=1 ``"), "{markdown}");
    // A run of backticks as long as the fence would end the code span, and what follows would be HTML.
    let route = format!("/{}<img src=x>", "`".repeat(3));
    let row = AccessRow::new("GET", &route, RouteKind::Handler, ADMIN);
    let markdown = AccessMatrix::new(vec![row]).to_markdown();
    assert!(markdown.contains("| ```` /```<img src=x> ```` |"), "{markdown}");
}

#[test]
fn a_realm_file_is_read_as_keycloak_reads_it() {
    let realm = r#"{"realm": "acme", "roles": null, "clients": null,
        "groups": [{"name": "ops", "realmRoles": ["admin"], "subGroups": null}, {"name": "a/b"}],
        "users": [
            {"username": "alice", "enabled": true, "groups": ["ops"], "realmRoles": null},
            {"username": "nobody", "realmRoles": ["admin"]},
            {"username": "bob", "enabled": true, "groups": ["/a~/b"], "clientRoles": null}
        ]}"#;
    for file in [
        realm.to_owned(),
        format!("\u{feff}{realm}"),
        format!(r#"[{{"realm": "master", "users": [{{"username": "root", "enabled": true}}]}}, {realm}]"#),
    ] {
        let rows = [
            ("GET", "/admin", ADMIN),
            ("GET", "/ops", OPS),
            ("GET", "/odd", Policy::Group("/a~/b")),
        ];
        let matrix = matrix(&rows).for_realm(&file, "orders-api").expect("a realm file");
        assert_eq!(matrix.access("alice", "GET", "/admin"), Some(Access::Allow), "{file}");
        assert_eq!(matrix.access("alice", "GET", "/ops"), Some(Access::Allow), "{file}");
        assert_eq!(matrix.access("bob", "GET", "/odd"), Some(Access::Allow), "{file}");
        assert_eq!(matrix.access("bob", "GET", "/admin"), Some(Access::Deny), "{file}");
        assert_eq!(matrix.access("nobody", "GET", "/admin"), None, "is disabled: {file}");
        assert_eq!(matrix.access("root", "GET", "/admin"), None, "{file}");
    }
    let matrix = matrix(&[]);
    for (file, message) in [
        ("[]", "the realm file cannot be read: .: the file has no realm"),
        (
            "{",
            "the realm file cannot be read: ?: EOF while parsing an object at line 1 column 1",
        ),
        (
            r#"{"users": [{"username": "alice"}, {}]}"#,
            "the realm file cannot be read: users[1]: missing field `username` at line 1 column 36",
        ),
        (
            r#"{"groups": [{"name": null}]}"#,
            "the realm file cannot be read: groups[0]: missing field `name`",
        ),
    ] {
        let error = matrix.clone().for_realm(file, "orders-api").expect_err(file);
        assert_eq!(crate::text::chain(&error), message);
    }
}
