//! Customers who take one message at a time, and what waits for each. Pure.

use std::collections::{HashMap, VecDeque};

use crate::bundle::Customer;

/// For each customer who has a message under way, the messages behind it in the order in which they came.
#[derive(Debug)]
pub(crate) struct Customers<M>(HashMap<Customer, VecDeque<M>>);

impl<M> Customers<M> {
    /// Gives the message back when it may go at once, and then the customer has one under way; keeps it otherwise.
    pub(crate) fn line_up(&mut self, customer: &Customer, message: M) -> Option<M> {
        match self.0.get_mut(customer) {
            Some(behind) => {
                behind.push_back(message);
                None
            }
            None => {
                self.0.insert(customer.clone(), VecDeque::new());
                Some(message)
            }
        }
    }

    /// The message under way has arrived or failed; gives the next one, which may go now.
    pub(crate) fn done(&mut self, customer: &Customer) -> Option<M> {
        let next = self.0.get_mut(customer)?.pop_front();
        if next.is_none() {
            self.0.remove(customer);
        }
        next
    }
}

impl<M> Default for Customers<M> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}
