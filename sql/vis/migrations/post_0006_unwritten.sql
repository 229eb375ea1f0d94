-- Of charts that nothing reads yet; nobody ever wrote them.
ALTER TABLE vis_strand DROP COLUMN ocr_text;
ALTER TABLE vis_strand DROP COLUMN chart_hash;
ALTER TABLE vis_strand DROP COLUMN panel_bbox;
ALTER TABLE vis_strand DROP COLUMN pattern_flags;
ALTER TABLE vis_strand DROP COLUMN embedding;
