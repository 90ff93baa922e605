//! A body gathered piece by piece.

/// The size of the blocks in which a body is gathered, in bytes.
const BLOCK: usize = 16 * 1024;

/// The pieces, in blocks of one size. A single buffer that grows would be copied again and again, and the allocator
/// would keep the smaller ones: with 400 bodies at once up to as much memory again.
#[derive(Default)]
pub(super) struct Gathered(Vec<Vec<u8>>);

impl Gathered {
    pub(super) fn add(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() {
            let room = self.0.last().map_or(0, |block| BLOCK - block.len());
            let (now, later) = piece.split_at(room.min(piece.len()));
            match self.0.last_mut() {
                Some(block) if room > 0 => {
                    block.reserve_exact(room);
                    block.extend_from_slice(now);
                }
                // Most bodies are one piece.
                None if piece.len() <= BLOCK => return self.0.push(piece.to_vec()),
                _ => self.0.push(Vec::with_capacity(BLOCK)),
            }
            piece = later;
        }
    }

    /// The body in one buffer. There are only as many of these at a time as threads, since each is parsed at once.
    pub(super) fn whole(mut self) -> Vec<u8> {
        if self.0.len() == 1 { self.0.swap_remove(0) } else { self.0.concat() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gathered_is_what_came_whatever_the_pieces() {
        let body: Vec<u8> = (0..5 * BLOCK + 7).map(|at| (at % 251) as u8).collect();
        for size in [1, 7, 1000, BLOCK - 1, BLOCK, BLOCK + 1, body.len()] {
            let mut gathered = Gathered::default();
            body.chunks(size).for_each(|piece| gathered.add(piece));
            assert!(gathered.0.iter().all(|block| block.capacity() <= BLOCK), "pieces of {size}");
            assert!(gathered.whole() == body, "pieces of {size}");
        }
        assert!(Gathered::default().whole().is_empty());
    }
}
