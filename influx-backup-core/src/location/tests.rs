use super::*;

fn files(path: &str) -> Location {
    Location::parse(path, &StoreOptions::default()).expect("a location")
}

#[test]
fn a_parent_is_the_inverse_of_a_child() {
    for location in [files("/tmp/backups"), Location::in_memory().child("a/b").expect("a child")] {
        let child = location.child("n1").expect("a child");
        assert_eq!(child.name(), Some("n1"));
        let parent = child.parent().expect("a parent");
        assert_eq!(parent.to_string(), location.to_string());
        assert_eq!(parent.directory(), location.directory());
        assert_eq!((parent.identity(), parent.base()), (location.identity(), location.base()));
    }
    assert!(Location::in_memory().parent().is_none());
    assert_eq!(files("/tmp").parent().expect("the root").directory(), Some(std::path::Path::new("/")));
    assert!(files("/").parent().is_none());
}

#[test]
#[allow(clippy::mutable_key_type, reason = "only what names the place is hashed")]
fn locations_are_equal_that_name_the_same_place() {
    use std::collections::HashSet;

    let one = files("/tmp/backups");
    let same = [files("/tmp/backups/"), files("file:///tmp/backups"), files("/tmp").child("backups").expect("a child")];
    let memory = Location::in_memory();
    let others = [files("/tmp"), files("/tmp/backups/n1"), memory.clone(), Location::in_memory()];
    for location in &same {
        assert_eq!(&one, location);
    }
    for location in &others {
        assert_ne!(&one, location);
    }
    assert_ne!(memory, Location::in_memory(), "each has a store of its own");
    assert_eq!(memory.child("a").expect("a child").parent(), Some(memory));
    let distinct: HashSet<_> = same.into_iter().chain(others).chain([one]).collect();
    assert_eq!(distinct.len(), 5);
}
