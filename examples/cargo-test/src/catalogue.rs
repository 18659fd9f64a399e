//! Categories of the catalogue, twice: as a tree that leaks, and as one that does not.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

/// A category that owns its parent and its children: a cycle, which nobody frees.
#[derive(Debug, Default)]
pub struct Cyclic {
    /// The category above.
    pub parent: RefCell<Option<Rc<Cyclic>>>,
    /// Those below.
    pub children: RefCell<Vec<Rc<Cyclic>>>,
}

/// A category that owns its children, and knows its parent.
#[derive(Debug, Default)]
pub struct Category {
    /// The category above.
    pub parent: RefCell<Weak<Category>>,
    /// Those below.
    pub children: RefCell<Vec<Rc<Category>>>,
}

impl Cyclic {
    /// A category below `parent`.
    pub fn below(parent: &Rc<Self>) -> Rc<Self> {
        let child = Rc::new(Self::default());
        *child.parent.borrow_mut() = Some(Rc::clone(parent));
        parent.children.borrow_mut().push(Rc::clone(&child));
        child
    }
}

impl Category {
    /// A category below `parent`.
    pub fn below(parent: &Rc<Self>) -> Rc<Self> {
        let child = Rc::new(Self::default());
        *child.parent.borrow_mut() = Rc::downgrade(parent);
        parent.children.borrow_mut().push(Rc::clone(&child));
        child
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heapsight::assert_no_leaks;

    #[heapsight::test]
    fn a_tree_with_weak_parents_is_freed() {
        let fruit = Rc::new(Category::default());
        let apples = Category::below(&fruit);
        assert!(apples.parent.borrow().upgrade().is_some());
    }

    /// A test that shows a known leak: it panics with what leaked.
    #[heapsight::test]
    #[should_panic(expected = "assertion `no leaks` failed")]
    fn a_tree_with_strong_parents_leaks() {
        let fruit = Rc::new(Cyclic::default());
        Cyclic::below(&fruit);
    }

    #[test]
    fn moving_a_category_leaks_nothing() {
        let (fruit, sale) = (Rc::new(Category::default()), Rc::new(Category::default()));
        let apples = Category::below(&fruit);
        assert_no_leaks!({
            fruit.children.borrow_mut().clear();
            *apples.parent.borrow_mut() = Rc::downgrade(&sale);
        });
        assert_eq!(Rc::strong_count(&apples), 1);
    }

    /// What it looks like when a test leaks: `cargo test -- --ignored`.
    #[heapsight::test]
    #[ignore = "fails, to show how"]
    fn a_leak() {
        let fruit = Rc::new(Cyclic::default());
        Cyclic::below(&fruit);
    }
}
