//! stub
/// stub
#[derive(Clone, Debug, Default)]
pub struct Calibration;
impl Calibration {
    pub(crate) fn probability(&self, _: &crate::entity::Entity, s: f32) -> f32 { s }
}
