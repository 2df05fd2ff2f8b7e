/* The table of all fields that directives set, made from directives.def. */
#ifndef WSP_CONFIG_FIELDS_H
#define WSP_CONFIG_FIELDS_H

#include <stddef.h>
#include <stdint.h>

/* Which struct of config.h a field is in. */
typedef enum wsp_scope { WSP_DIR_SCOPE, WSP_SERVER_SCOPE } wsp_scope;

typedef struct wsp_field {
    wsp_scope scope;
    size_t offset;    /* of the int64_t in that struct */
    int64_t def;      /* WSP_UNSET: it depends on something else */
    int64_t min, max; /* what a directive of one value allows; 0 otherwise */
} wsp_field;

/* wsp_fields[WSP_FIELD_x] is the field x. */
enum {
#define WSP_DIR_FIELD(field, def, min, max) WSP_FIELD_##field,
#define WSP_SERVER_FIELD WSP_DIR_FIELD
#include "config/directives.def"
    WSP_FIELDS
};
extern const wsp_field wsp_fields[WSP_FIELDS];

#endif
