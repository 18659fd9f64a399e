//! Input of rustc: generics, closures, collections and threads.
use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::sync::mpsc;
use std::thread;

fn longest<T: Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).max_by_key(String::len).unwrap_or_default()
}

fn main() {
    let (sender, receiver) = mpsc::channel();
    let workers: Vec<_> = (0..4u64)
        .map(|worker| {
            let sender = sender.clone();
            thread::spawn(move || {
                let mut counts = HashMap::new();
                for number in 0..10_000u64 {
                    let key = format!("key{}", (number * 7919 + worker) % 101);
                    *counts.entry(key).or_insert(0) += 1;
                }
                sender.send(counts).unwrap();
            })
        })
        .collect();
    drop(sender);
    let mut totals: BTreeMap<String, u64> = BTreeMap::new();
    for counts in receiver {
        for (key, count) in counts {
            *totals.entry(key).or_default() += count;
        }
    }
    workers.into_iter().for_each(|worker| worker.join().unwrap());
    let keys: Vec<_> = totals.keys().collect();
    println!("{} keys, {} in all, {}", totals.len(), totals.values().sum::<u64>(), longest(&keys));
}
