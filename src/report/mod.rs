//! Plans, results and problems into text and JSON.
