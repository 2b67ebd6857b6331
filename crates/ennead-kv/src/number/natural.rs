//! Natural numbers of any size, as far as exact conversion between decimal and binary floats needs them.

use std::cmp::Ordering;

/// Little endian, without leading zeros.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Natural(Vec<u32>);

impl Natural {
    pub(super) fn new(value: u64) -> Natural {
        let mut natural = Natural(vec![value as u32, (value >> 32) as u32]);
        natural.trim();
        natural
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    pub(super) fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn bits(&self) -> usize {
        self.0.last().map_or(0, |top| self.0.len() * 32 - top.leading_zeros() as usize)
    }

    pub(super) fn multiply_add(&mut self, factor: u32, addend: u32) {
        let mut carry = u64::from(addend);
        for word in &mut self.0 {
            let product = u64::from(*word) * u64::from(factor) + carry;
            *word = product as u32;
            carry = product >> 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    pub(super) fn power_of_ten(exponent: usize) -> Natural {
        let mut power = Natural::new(1);
        for _ in 0..exponent / 9 {
            power.multiply_add(1_000_000_000, 0);
        }
        for _ in 0..exponent % 9 {
            power.multiply_add(10, 0);
        }
        power
    }

    pub(super) fn shift_left(&mut self, bits: usize) {
        if self.is_zero() {
            return;
        }
        let shift = bits % 32;
        if shift > 0 {
            let mut carry = 0;
            for word in &mut self.0 {
                let shifted = u64::from(*word) << shift | carry;
                *word = shifted as u32;
                carry = shifted >> 32;
            }
            self.0.push(carry as u32);
        }
        self.0.splice(0..0, std::iter::repeat_n(0, bits / 32));
        self.trim();
    }

    fn halve(&mut self) {
        let mut carry = 0;
        for word in self.0.iter_mut().rev() {
            let next = *word & 1;
            *word = *word >> 1 | carry << 31;
            carry = next;
        }
        self.trim();
    }

    fn subtract(&mut self, other: &Natural) {
        let mut borrow = false;
        for (index, word) in self.0.iter_mut().enumerate() {
            let (difference, first) = word.overflowing_sub(other.0.get(index).copied().unwrap_or(0));
            let (difference, second) = difference.overflowing_sub(u32::from(borrow));
            *word = difference;
            borrow = first || second;
        }
        self.trim();
    }

    fn compare(&self, other: &Natural) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    /// Quotient and whether there is a remainder; the quotient must be less than 2^`bits`, and that at most 2^128.
    pub(super) fn divide(mut self, mut divisor: Natural, bits: usize) -> (u128, bool) {
        divisor.shift_left(bits);
        let mut quotient = 0;
        for _ in 0..bits {
            divisor.halve();
            quotient <<= 1;
            if self.compare(&divisor) != Ordering::Less {
                self.subtract(&divisor);
                quotient |= 1;
            }
        }
        (quotient, !self.is_zero())
    }

    pub(super) fn into_decimal(mut self) -> String {
        let mut groups = Vec::new();
        while !self.is_zero() {
            let mut remainder = 0u64;
            for word in self.0.iter_mut().rev() {
                let value = remainder << 32 | u64::from(*word);
                *word = (value / 1_000_000_000) as u32;
                remainder = value % 1_000_000_000;
            }
            self.trim();
            groups.push(remainder);
        }
        let mut text = groups.pop().unwrap_or(0).to_string();
        for group in groups.iter().rev() {
            text.push_str(&format!("{group:09}"));
        }
        text
    }
}
